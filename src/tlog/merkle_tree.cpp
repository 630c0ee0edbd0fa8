// SPDX-License-Identifier: Apache-2.0
#include "tlog/merkle_tree.h"

#include "crypto/sha256_lanes.h"

#include <algorithm>
#include <bit>

namespace writ::tlog {

namespace {

// Where a tree of `size` > 1 leaves splits: the largest power of two below its size (RFC 6962 §2.1).
std::uint64_t split_of(std::uint64_t size) { return std::bit_floor(size - 1); }

// Leaves [begin, end). INVARIANT: begin is a multiple of a power of two that is at least end - begin, so the range is a node of the tree.
struct Range {
    std::uint64_t begin, end;

    [[nodiscard]] std::uint64_t size() const { return end - begin; }
    [[nodiscard]] std::uint64_t middle() const { return begin + split_of(size()); }
    [[nodiscard]] Range left() const { return { begin, middle() }; }
    [[nodiscard]] Range right() const { return { middle(), end }; }
};

Result<Hash> root_of(Range range, SubtreeReader const& read)
{
    std::vector<Hash> subtrees; // complete ones, largest first
    while (range.size() > 0) {
        auto const size = std::bit_floor(range.size());
        auto const level = std::countr_zero(size);
        subtrees.push_back(TRY(read({ .level = level, .index = range.begin >> static_cast<unsigned>(level) })));
        range.begin += size;
    }
    auto root = subtrees.back();
    for (auto left = subtrees.rbegin() + 1; left != subtrees.rend(); ++left)
        root = node_hash(*left, root);
    return root;
}

Result<> check_size(std::uint64_t size)
{
    if (size > tree_size_max)
        return invalid_argument("a tree of " + std::to_string(size) + " leaves is larger than any");
    return {};
}

Result<> check_root(Hash const& computed, Hash const& root, std::string_view what)
{
    if (computed != root)
        return corruption(std::string(what) + " proof leads to another root");
    return {};
}

Result<> verify_growth(
    std::uint64_t old_size, Hash const& old_root, std::uint64_t new_size, Hash const& new_root, std::span<Hash const> proof)
{
    // An old tree that is a node of the new one is not in its own proof: the verifier has its root.
    auto const is_node = std::has_single_bit(old_size);
    if (proof.empty() && !is_node)
        return corruption("consistency proof is too short");
    auto old_computed = is_node ? old_root : proof.front();
    auto new_computed = old_computed;
    auto old_last = old_size - 1, new_last = new_size - 1;
    auto const shared = std::countr_one(old_last); // levels on which the old tree's last node is a right child
    old_last >>= static_cast<unsigned>(shared);
    new_last >>= static_cast<unsigned>(shared);

    for (auto const& sibling : proof.subspan(is_node ? 0 : 1)) {
        if (new_last == 0)
            return corruption("consistency proof is too long");
        if ((old_last & 1U) != 0 || old_last == new_last) {
            old_computed = node_hash(sibling, old_computed);
            new_computed = node_hash(sibling, new_computed);
            while ((old_last & 1U) == 0 && old_last != 0) {
                old_last >>= 1U;
                new_last >>= 1U;
            }
        } else {
            new_computed = node_hash(new_computed, sibling);
        }
        old_last >>= 1U;
        new_last >>= 1U;
    }
    if (new_last != 0)
        return corruption("consistency proof is too short");
    TRY(check_root(old_computed, old_root, "consistency"));
    return check_root(new_computed, new_root, "consistency");
}

} // namespace

Hash leaf_hash(BytesView record)
{
    // SPEC: RFC 6962 §2.1: the prefix keeps a leaf from being passed off as a node.
    static constexpr std::uint8_t prefix = 0x00;
    return crypto::sha256(std::array { BytesView(&prefix, 1), record });
}

Hash node_hash(Hash const& left, Hash const& right)
{
    std::array<std::uint8_t, 1 + 2 * sizeof(Hash)> node;
    node[0] = 0x01;
    std::ranges::copy(left, node.begin() + 1);
    std::ranges::copy(right, node.begin() + 1 + sizeof(Hash));
    return crypto::sha256(BytesView(node));
}

void leaf_hashes(std::span<BytesView const> records, std::span<Hash> leaves) { crypto::sha256_prefixed(0x00, records, leaves); }

void node_hashes(std::span<Hash const> children, std::span<Hash> parents) { crypto::sha256_prefixed_pairs(0x01, children, parents); }

Hash empty_root() { return crypto::sha256(BytesView()); }

Result<std::vector<Hash>> inclusion_proof(std::uint64_t index, std::uint64_t size, SubtreeReader const& read)
{
    TRY(check_size(size));
    if (index >= size)
        return not_found("entry " + std::to_string(index) + " is not in a tree of " + std::to_string(size));
    std::vector<Hash> proof; // from the root down; a proof has it from the leaf up
    Range node { .begin = 0, .end = size };
    while (node.size() > 1) {
        auto const is_left = index < node.middle();
        proof.push_back(TRY(root_of(is_left ? node.right() : node.left(), read)));
        node = is_left ? node.left() : node.right();
    }
    std::ranges::reverse(proof);
    return proof;
}

Result<std::vector<Hash>> consistency_proof(std::uint64_t old_size, std::uint64_t new_size, SubtreeReader const& read)
{
    TRY(check_size(new_size));
    if (old_size > new_size)
        return invalid_argument("a tree of " + std::to_string(new_size) + " cannot follow one of " + std::to_string(old_size));
    std::vector<Hash> proof;
    if (old_size == 0 || old_size == new_size)
        return proof;
    Range node { .begin = 0, .end = new_size };
    while (node.end != old_size) {
        auto const is_left = old_size <= node.middle();
        proof.push_back(TRY(root_of(is_left ? node.right() : node.left(), read)));
        node = is_left ? node.left() : node.right();
    }
    if (node.begin != 0) // otherwise it is the old tree itself
        proof.push_back(TRY(root_of(node, read)));
    std::ranges::reverse(proof);
    return proof;
}

Result<> verify_inclusion(Hash const& leaf, std::uint64_t index, std::uint64_t size, std::span<Hash const> proof, Hash const& root)
{
    TRY(check_size(size));
    if (index >= size)
        return corruption("entry " + std::to_string(index) + " is not in a tree of " + std::to_string(size));
    // SPEC: RFC 9162 §2.1.3.2; `last` is the index of the last node on the level of `node`.
    auto node = index, last = size - 1;
    auto computed = leaf;
    for (auto const& sibling : proof) {
        if (last == 0)
            return corruption("inclusion proof is too long");
        if ((node & 1U) != 0 || node == last) {
            computed = node_hash(sibling, computed);
            while ((node & 1U) == 0 && node != 0) { // a lone last node has no sibling on these levels
                node >>= 1U;
                last >>= 1U;
            }
        } else {
            computed = node_hash(computed, sibling);
        }
        node >>= 1U;
        last >>= 1U;
    }
    if (last != 0)
        return corruption("inclusion proof is too short");
    return check_root(computed, root, "inclusion");
}

Result<> verify_consistency(
    std::uint64_t old_size, Hash const& old_root, std::uint64_t new_size, Hash const& new_root, std::span<Hash const> proof)
{
    TRY(check_size(new_size));
    if (old_size > new_size)
        return corruption("a tree of " + std::to_string(new_size) + " cannot follow one of " + std::to_string(old_size));
    if (old_size != 0 && old_size != new_size)
        return verify_growth(old_size, old_root, new_size, new_root, proof);
    if (!proof.empty())
        return corruption("consistency proof is too long");
    return check_root(old_root, old_size == 0 ? empty_root() : new_root, "consistency");
}

namespace {

// Indexes on the level that a proof has reached: of the subtree's first and last node, and of the tree's last one.
struct Edges {
    std::uint64_t first, last, tree_last;

    void rise()
    {
        first >>= 1U;
        last >>= 1U;
        tree_last >>= 1U;
    }
    [[nodiscard]] bool is_right_child() const { return (last & 1U) != 0; }
};

Result<> check_subtree(std::uint64_t start, std::uint64_t end, std::uint64_t size)
{
    TRY(check_size(size));
    if (start > end || end > size || (start < end && start % std::bit_ceil(end - start) != 0))
        return corruption("leaves " + std::to_string(start) + " to " + std::to_string(end) + " are no subtree of " + std::to_string(size));
    return {};
}

} // namespace

Result<> verify_subtree_consistency(
    std::uint64_t start, std::uint64_t end, std::uint64_t size, Hash const& subtree_root, Hash const& root, std::span<Hash const> proof)
{
    TRY(check_subtree(start, end, size));
    if (start == end)
        return proof.empty() ? check_root(subtree_root, empty_root(), "consistency") : corruption("consistency proof is too long");
    Edges edges { .first = start, .last = end - 1, .tree_last = size - 1 };
    // Up to the largest node at the subtree's right edge that is a node of the whole tree too.
    auto const is_at_edge = edges.last == edges.tree_last;
    while (edges.first != edges.last && (is_at_edge || edges.is_right_child()))
        edges.rise();
    // A subtree that is one node is not in its own proof: the verifier has its root.
    auto const is_node = edges.first == edges.last;
    if (proof.empty() && !is_node)
        return corruption("consistency proof is too short");
    auto old_computed = is_node ? subtree_root : proof.front();
    auto new_computed = old_computed;
    for (auto const& sibling : proof.subspan(is_node ? 0 : 1)) {
        if (edges.tree_last == 0)
            return corruption("consistency proof is too long");
        if (edges.is_right_child() || edges.last == edges.tree_last) {
            if (edges.first < edges.last)
                old_computed = node_hash(sibling, old_computed);
            new_computed = node_hash(sibling, new_computed);
            while (!edges.is_right_child())
                edges.rise();
        } else {
            new_computed = node_hash(new_computed, sibling);
        }
        edges.rise();
    }
    if (edges.tree_last != 0)
        return corruption("consistency proof is too short");
    TRY(check_root(old_computed, subtree_root, "consistency"));
    return check_root(new_computed, root, "consistency");
}

void TreeEdge::append(Hash const& leaf)
{
    ASSERT(size_ < tree_size_max);
    auto node = leaf;
    for (auto size = size_; (size & 1U) != 0; size >>= 1U) {
        node = node_hash(subtrees_.back(), node);
        subtrees_.pop_back();
    }
    subtrees_.push_back(node);
    ++size_;
}

Hash TreeEdge::root() const
{
    if (subtrees_.empty())
        return empty_root();
    auto root = subtrees_.back();
    for (auto left = subtrees_.rbegin() + 1; left != subtrees_.rend(); ++left)
        root = node_hash(*left, root);
    return root;
}

} // namespace writ::tlog
