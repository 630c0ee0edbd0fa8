// SPDX-License-Identifier: Apache-2.0
//
// Whatever a bundle's file holds: refused, or made again byte for byte. No key signs what is found here, so nothing verifies.
#include "audit/bundle/archive.h"
#include "audit/bundle/bundle.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    using namespace writ;
    static auto const key = tlog::NoteVerifier::of("example.org/log", crypto::PrivateKey::generate(crypto::KeyType::ed25519).value().public_key());
    std::string_view const text(reinterpret_cast<char const*>(data), size);
    auto const files = audit::parse_archive(text);
    if (files.is_ok() && audit::to_archive(*files) != text)
        std::abort();
    auto const proof = audit::parse_proof_text(text);
    if (proof.is_ok()
        && audit::to_proof_text(proof->index, { .text = {}, .proof = proof->proof, .checkpoint = proof->checkpoint }) != text)
        std::abort();
    auto const report = audit::verify_bundle(text, key);
    if (report.is_ok() && report->records > 0)
        std::abort();
    return 0;
}
