// SPDX-License-Identifier: Apache-2.0
#include "tlog/merkle_tree.h"

#include <gtest/gtest.h>

namespace writ::tlog {
namespace {

constexpr std::uint64_t leaves_max = 70;

// Trees of every size, with the complete subtrees of the largest.
class Trees : public testing::Test {
protected:
    Trees()
    {
        roots_.push_back(empty_root());
        levels_.resize(8);
        TreeEdge edge;
        for (std::uint64_t i = 0; i < leaves_max; ++i) {
            auto const leaf = leaf_hash(to_bytes("record " + std::to_string(i)));
            edge.append(leaf);
            roots_.push_back(edge.root());
            levels_[0].push_back(leaf);
        }
        for (std::size_t level = 1; level < levels_.size(); ++level)
            for (std::size_t i = 0; i + 1 < levels_[level - 1].size(); i += 2)
                levels_[level].push_back(node_hash(levels_[level - 1][i], levels_[level - 1][i + 1]));
    }

    SubtreeReader reader() const
    {
        return [this](Subtree subtree) -> Result<Hash> { return levels_.at(static_cast<std::size_t>(subtree.level)).at(subtree.index); };
    }

    std::vector<Hash> roots_; // by size
    std::vector<std::vector<Hash>> levels_;
};

Hash flipped(Hash hash)
{
    hash[31] ^= 1U;
    return hash;
}

// RFC 6962 has no test vectors; these roots are computed by its definition, outside this code.
TEST(TreeEdge, roots_of_small_trees_are_as_defined)
{
    auto const a = leaf_hash(as_bytes("a")), b = leaf_hash(as_bytes("b")), c = leaf_hash(as_bytes("c"));
    TreeEdge edge;
    EXPECT_EQ(to_hex(edge.root()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    edge.append(a);
    EXPECT_EQ(to_hex(edge.root()), "022a6979e6dab7aa5ae4c3e5e45f7e977112a7e63593820dbec1ec738a24f93c");
    edge.append(b);
    edge.append(c);
    EXPECT_EQ(edge.root(), node_hash(node_hash(a, b), c));
    EXPECT_EQ(edge.size(), 3U);
}

TEST_F(Trees, every_leaf_proves_its_place_in_every_tree_and_nowhere_else)
{
    for (std::uint64_t size = 1; size <= leaves_max; ++size)
        for (std::uint64_t index = 0; index < size; ++index) {
            auto const proof = inclusion_proof(index, size, reader()).value();
            auto const& leaf = levels_[0][index];
            ASSERT_TRUE(verify_inclusion(leaf, index, size, proof, roots_[size]).is_ok()) << index << " of " << size;
            EXPECT_TRUE(verify_inclusion(flipped(leaf), index, size, proof, roots_[size]).is_error());
            EXPECT_TRUE(verify_inclusion(leaf, index, size, proof, flipped(roots_[size])).is_error());
            EXPECT_TRUE(verify_inclusion(leaf, size, size, proof, roots_[size]).is_error());
            if (size > 1)
                EXPECT_TRUE(verify_inclusion(leaf, index ^ 1U, size, proof, roots_[size]).is_error());
        }
    EXPECT_EQ(inclusion_proof(5, 5, reader()).error().code, ErrorCode::not_found);
}

TEST_F(Trees, every_tree_proves_that_it_continues_every_smaller_one)
{
    for (std::uint64_t new_size = 0; new_size <= leaves_max; ++new_size)
        for (std::uint64_t old_size = 0; old_size <= new_size; ++old_size) {
            auto const proof = consistency_proof(old_size, new_size, reader()).value();
            ASSERT_TRUE(verify_consistency(old_size, roots_[old_size], new_size, roots_[new_size], proof).is_ok())
                << old_size << " to " << new_size;
            EXPECT_TRUE(verify_consistency(old_size, flipped(roots_[old_size]), new_size, roots_[new_size], proof).is_error());
            if (old_size != 0)
                EXPECT_TRUE(verify_consistency(old_size, roots_[old_size], new_size, flipped(roots_[new_size]), proof).is_error());
        }
    EXPECT_TRUE(consistency_proof(5, 4, reader()).is_error());
    EXPECT_TRUE(verify_consistency(5, roots_[5], 4, roots_[4], {}).is_error());
}

TEST_F(Trees, a_proof_with_a_hash_changed_missing_or_added_proves_nothing)
{
    auto const inclusion = inclusion_proof(20, 70, reader()).value();
    auto const consistency = consistency_proof(41, 70, reader()).value();
    auto const check = [&](auto const& proof, auto const& verify) {
        for (std::size_t i = 0; i < proof.size(); ++i) {
            auto changed = proof, shorter = proof, longer = proof;
            changed[i] = flipped(changed[i]);
            shorter.erase(shorter.begin() + static_cast<std::ptrdiff_t>(i));
            longer.insert(longer.begin() + static_cast<std::ptrdiff_t>(i), proof[i]);
            EXPECT_TRUE(verify(changed).is_error());
            EXPECT_TRUE(verify(shorter).is_error());
            EXPECT_TRUE(verify(longer).is_error());
        }
        EXPECT_TRUE(verify({}).is_error());
        EXPECT_TRUE(verify(std::vector<Hash>(1000)).is_error());
        EXPECT_TRUE(verify(proof).is_ok());
    };
    check(inclusion, [&](std::vector<Hash> const& proof) { return verify_inclusion(levels_[0][20], 20, 70, proof, roots_[70]); });
    check(consistency, [&](std::vector<Hash> const& proof) { return verify_consistency(41, roots_[41], 70, roots_[70], proof); });
}

// Consistency of trees, told as that of subtrees; and subtrees that begin later, one node of the tree or not.
TEST_F(Trees, subtrees_are_consistent_with_the_tree_around_them)
{
    for (std::uint64_t size = 1; size <= 70; ++size)
        for (std::uint64_t end = 1; end <= size; ++end) {
            auto const proof = consistency_proof(end, size, reader()).value();
            ASSERT_TRUE(verify_subtree_consistency(0, end, size, roots_[end], roots_[size], proof).is_ok()) << end << " of " << size;
            EXPECT_TRUE(verify_subtree_consistency(0, end, size, flipped(roots_[end]), roots_[size], proof).is_error());
        }
    auto const four_to_seven = node_hash(levels_[1][2], levels_[0][6]);
    std::vector<Hash> const proof { levels_[0][6], levels_[0][7], levels_[1][2], levels_[2][0] };
    EXPECT_TRUE(verify_subtree_consistency(4, 7, 8, four_to_seven, roots_[8], proof).is_ok());
    EXPECT_TRUE(verify_subtree_consistency(4, 6, 8, levels_[1][2], roots_[8], std::vector { levels_[1][3], levels_[2][0] }).is_ok());
    for (std::size_t i = 0; i < proof.size(); ++i) {
        auto altered = proof;
        altered[i] = flipped(altered[i]);
        EXPECT_TRUE(verify_subtree_consistency(4, 7, 8, four_to_seven, roots_[8], altered).is_error()) << i;
        EXPECT_TRUE(verify_subtree_consistency(4, 7, 8, four_to_seven, roots_[8], std::span(proof).first(i)).is_error()) << i;
    }
    EXPECT_TRUE(verify_subtree_consistency(3, 7, 8, four_to_seven, roots_[8], proof).is_error()); // no subtree begins there
    EXPECT_TRUE(verify_subtree_consistency(4, 9, 8, four_to_seven, roots_[8], proof).is_error());
    EXPECT_TRUE(verify_subtree_consistency(5, 5, 8, empty_root(), roots_[8], {}).is_ok());
    EXPECT_TRUE(verify_subtree_consistency(5, 5, 8, roots_[1], roots_[8], {}).is_error());
}

TEST(MerkleProof, sizes_beyond_any_tree_are_refused)
{
    auto const beyond = tree_size_max + 1;
    EXPECT_TRUE(verify_inclusion({}, 0, beyond, {}, {}).is_error());
    EXPECT_TRUE(verify_consistency(1, {}, ~std::uint64_t(0), {}, std::vector<Hash>(64)).is_error());
    EXPECT_TRUE(inclusion_proof(0, beyond, {}).is_error());
    EXPECT_TRUE(consistency_proof(1, beyond, {}).is_error());
}

} // namespace
} // namespace writ::tlog
