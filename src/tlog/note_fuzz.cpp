// SPDX-License-Identifier: Apache-2.0
//
// Checkpoints and verifier keys. What reads as a checkpoint must sign and read back as the same, and verify under no key that did not sign.
#include "tlog/note.h"

namespace {

using namespace writ;
using namespace writ::tlog;

NoteSigner const& signer()
{
    static NoteSigner const one { .name = "example.org/log", .key = crypto::PrivateKey::generate(crypto::KeyType::ed25519).value() };
    return one;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* bytes, std::size_t size)
{
    auto const text = as_text({ bytes, size });
    if (auto const verifier = NoteVerifier::parse(text); verifier.is_ok()) {
        ASSERT(verifier->to_text() == text);
        ASSERT(verify_checkpoint(text, *verifier).is_error());
    }
    auto const checkpoint = parse_checkpoint_without_verifying(text);
    ASSERT(verify_checkpoint(text, signer().verifier()).is_error());
    if (checkpoint.is_ok()) {
        auto const again = verify_checkpoint(sign_checkpoint(*checkpoint, signer()).value(), signer().verifier()).value();
        ASSERT(again.origin == checkpoint->origin && again.size == checkpoint->size && again.root == checkpoint->root
            && again.extension == checkpoint->extension);
    }
    return 0;
}
