// SPDX-License-Identifier: Apache-2.0
//
// The Merkle tree of RFC 6962 §2.1 and its proofs: pure functions over hashes, and the tree that grows on the right. Thread-compatible.
#pragma once

#include "crypto/digest.h"

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace writ::tlog {

using Hash = crypto::Sha256Digest;

// LIMIT: proof lengths and arithmetic stay in range; a million records a second take 35,000 years to get there.
inline constexpr std::uint64_t tree_size_max = std::uint64_t(1) << 60U;

Hash leaf_hash(BytesView record);            // SHA-256(0x00 ‖ record)
void leaf_hashes(std::span<BytesView const> records, std::span<Hash> leaves); // many at once cost a third each
void node_hashes(std::span<Hash const> children, std::span<Hash> parents);   // of neighbours; REQUIRES: twice as many children
Hash node_hash(Hash const& left, Hash const& right); // SHA-256(0x01 ‖ left ‖ right)
Hash empty_root();                           // SHA-256()

// A complete subtree: its level (0: leaves) and its index on that level.
struct Subtree {
    int level;
    std::uint64_t index;
};
using SubtreeReader = std::function<Result<Hash>(Subtree)>;

Result<std::vector<Hash>> inclusion_proof(std::uint64_t index, std::uint64_t size, SubtreeReader const&);
Result<std::vector<Hash>> consistency_proof(std::uint64_t old_size, std::uint64_t new_size, SubtreeReader const&);

// corruption: the proof does not prove it. Proofs of any length and content are safe to give.
Result<> verify_inclusion(Hash const& leaf, std::uint64_t index, std::uint64_t size, std::span<Hash const> proof, Hash const& root);
Result<> verify_consistency(std::uint64_t old_size, Hash const& old_root, std::uint64_t new_size, Hash const& new_root, std::span<Hash const> proof);

// That leaves [start, end) of the tree of `size` have `subtree_root`; start is a multiple of a power of two that is at least end - start
// (draft-ietf-plants-merkle-tree-certs §4.4.3). Consistency of two trees is the case start = 0.
Result<> verify_subtree_consistency(std::uint64_t start, std::uint64_t end, std::uint64_t size, Hash const& subtree_root, Hash const& root,
    std::span<Hash const> proof);

// The right edge of a tree: what appending needs. O(log n) memory.
class TreeEdge {
public:
    void append(Hash const& leaf);
    [[nodiscard]] std::uint64_t size() const { return size_; }
    [[nodiscard]] Hash root() const;

private:
    std::uint64_t size_ = 0;
    std::vector<Hash> subtrees_; // complete ones, largest first
};

} // namespace writ::tlog
