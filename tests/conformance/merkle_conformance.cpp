// SPDX-License-Identifier: Apache-2.0
//
// merkle_conformance DIR: inclusion and consistency proofs of RFC 6962 trees, good ones and altered ones, from the transparency-dev
// project, and of subtrees. A proof must verify exactly if its case says so. Inclusion in a subtree is inclusion in a tree of its own.
#include "tally.h"
#include "tlog/merkle_tree.h"

#include <bit>

using namespace writ;
using namespace writ::conformance;
using namespace writ::tlog;

namespace {

Result<Hash> hash_of(std::string_view text)
{
    auto const bytes = TRY(parse_base64(text));
    Hash hash;
    if (bytes.size() != hash.size())
        return corruption("not a hash");
    std::ranges::copy(bytes, hash.begin());
    return hash;
}

Result<Hash> hash_at(JsonObject const& object, std::string_view name) { return hash_of(TRY(string_member(object, name))); }

Result<std::uint64_t> number_at(JsonObject const& object, std::string_view name)
{
    auto const* value = object.if_contains(name);
    if (value == nullptr || !value->is_number())
        return invalid_argument("no number `" + std::string(name) + "`");
    boost::system::error_code error;
    auto const number = value->to_number<std::uint64_t>(error);
    if (error)
        return invalid_argument("`" + std::string(name) + "` is out of range");
    return number;
}

Result<std::vector<Hash>> proof_of(JsonObject const& object)
{
    std::vector<Hash> proof;
    if (auto const* value = object.if_contains("proof"); value != nullptr && value->is_array())
        for (auto const& element : value->as_array())
            proof.push_back(TRY(hash_of(element.as_string())));
    return proof;
}

Result<> check_inclusion(JsonObject const& test)
{
    auto const is_subtree = test.contains("start");
    auto const start = is_subtree ? TRY(number_at(test, "start")) : 0;
    auto const end = TRY(number_at(test, is_subtree ? "end" : "treeSize"));
    auto const index = TRY(number_at(test, "leafIdx"));
    if (start >= end || start % std::bit_ceil(end - start) != 0 || index < start)
        return invalid_argument("no such subtree");
    auto const leaf = TRY(hash_at(test, "leafHash")), root = TRY(hash_at(test, "root"));
    return verify_inclusion(leaf, index - start, end - start, TRY(proof_of(test)), root);
}

Result<> check_consistency(JsonObject const& test)
{
    auto const is_subtree = test.contains("start");
    auto const old_size = TRY(number_at(test, is_subtree ? "end" : "size1"));
    auto const new_size = TRY(number_at(test, is_subtree ? "size" : "size2"));
    auto const old_root = TRY(hash_at(test, "root1")), new_root = TRY(hash_at(test, "root2"));
    if (is_subtree)
        return verify_subtree_consistency(TRY(number_at(test, "start")), old_size, new_size, old_root, new_root, TRY(proof_of(test)));
    return verify_consistency(old_size, old_root, new_size, new_root, TRY(proof_of(test)));
}

void judge(JsonObject const& test, std::string const& name, Tally& tally)
{
    auto const wanted = bool_member(test, "wantErr");
    if (wanted.is_error())
        return tally.skip("not a case of proofs: " + name);
    if (test.contains("leafIdx"))
        return tally.expect(check_inclusion(test).is_error() == *wanted, name);
    auto const is_of_hashes = hash_at(test, "root1").is_ok() && hash_at(test, "root2").is_ok();
    if (!*wanted && !is_of_hashes) // our types do not hold such a root: there is nothing to compare
        return tally.skip("equal trees whose root is not of 32 bytes");
    tally.expect(check_consistency(test).is_error() == *wanted, name);
}

} // namespace

int main(int count, char** arguments)
{
    if (count != 2)
        return 2;
    Tally tally;
    for (auto const& file : json_files(arguments[1])) {
        auto const test = read_json(file);
        if (test.is_ok())
            judge(*test, file.lexically_relative(arguments[1]).string(), tally);
        else
            tally.expect(false, test.error().message);
    }
    return tally.print();
}
