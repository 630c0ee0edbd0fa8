// SPDX-License-Identifier: Apache-2.0
//
// What an auditor keeps: records, the proof of each that it is in the log, and the declarations they were decided by, as one file that needs
// nobody but the log's public key. docs/formats/audit-bundle.md has its files. Thread-safe.
#pragma once

#include "audit/record.h"
#include "tlog/note.h"

#include <map>

namespace writ::audit {

// LIMIT: of one bundle; whoever wants more asks a narrower question.
inline constexpr std::size_t bundle_records_max = 10'000;

struct BundledRecord {
    std::string text; // as it lies in the log
    std::vector<tlog::Hash> proof;
    std::string checkpoint; // the signed note that the proof leads to, with the cosignatures it has
};

struct Bundle {
    JsonObject question; // what was asked for, in the words of who asked
    std::map<std::uint64_t, BundledRecord> records;
    std::map<std::uint64_t, std::string> declarations; // by version, as the store has them
    std::map<std::string, std::string> schemas;        // what their policies were held to, by SHA-256
};

// As one tar archive.
std::string to_file(Bundle const&);

struct BundleReport {
    JsonObject question;
    std::string origin;
    std::size_t records = 0;
    std::uint64_t tree_size = 0; // the largest of its checkpoints
    std::vector<std::uint64_t> declarations; // versions whose text is what a record in it says was put in force
    std::map<std::string, std::string> schemas; // by the digest that a record in it has
    bool is_schema_unknown = false; // some version was put in force by a program that did not record its schema's digest
    std::map<std::string, std::size_t> types; // records by type
    std::size_t asserted = 0; // records of which something is proven to have been said, and not to be so
};
// corruption: some byte is not as it was written, or something does not prove what it is there to prove.
Result<BundleReport> verify_bundle(std::string_view file, tlog::NoteVerifier const&);

// C2SP tlog-proof, version 1, without an `extra` line.
std::string to_proof_text(std::uint64_t index, BundledRecord const&);
struct ParsedProof {
    std::uint64_t index = 0;
    std::vector<tlog::Hash> proof;
    std::string checkpoint;
};
Result<ParsedProof> parse_proof_text(std::string_view);

} // namespace writ::audit
