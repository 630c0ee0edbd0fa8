// SPDX-License-Identifier: Apache-2.0
//
// What comes to a witness, to a log from its witnesses, and with a receipt. What reads writes back as the same; a witness cosigns nothing
// that its log has not signed.
#include "tlog/receipt.h"
#include "tlog/witness.h"

namespace {

using namespace writ;
using namespace writ::tlog;

crypto::PrivateKey new_key() { return crypto::PrivateKey::generate(crypto::KeyType::ed25519).value(); }

struct Stage {
    Stage()
    {
        auto pattern = (std::filesystem::temp_directory_path() / "writ-witness-XXXXXX").string();
        ASSERT(::mkdtemp(pattern.data()) != nullptr);
        witness = Witness::open({ .folder = pattern, .signer = signer, .logs = { log.verifier() } }).value();
    }
    NoteSigner log { .name = "example.org/log", .key = new_key() };
    WitnessSigner signer { .name = "w", .key = new_key() };
    std::unique_ptr<Witness> witness;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* bytes, std::size_t size)
{
    static Stage const stage;
    auto const text = as_text({ bytes, size });
    if (auto const request = parse_add_checkpoint(text); request.is_ok())
        ASSERT(to_text(*request) == text);
    ASSERT(stage.witness->add_checkpoint(text, from_unix_seconds(1)).status != 200);
    std::array const verifiers { stage.signer.verifier() };
    if (auto const lines = verify_cosignature_lines("a\n\n\xE2\x80\x94 a AAAAAAA=\n", text, verifiers); lines.is_ok())
        ASSERT(lines->empty());
    if (auto const receipt = parse_receipt(text); receipt.is_ok()) {
        ASSERT(to_text(*receipt) == text);
        ASSERT(verify_receipt(*receipt, {}, stage.log.verifier(), {}).is_error());
    }
    if (auto const verifier = WitnessVerifier::parse(text); verifier.is_ok())
        ASSERT(verifier->to_text() == text);
    return 0;
}
