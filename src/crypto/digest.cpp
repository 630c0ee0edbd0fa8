// SPDX-License-Identifier: Apache-2.0
#include "crypto/digest.h"

#include "crypto/openssl.h"

#include <openssl/hmac.h>

namespace writ::crypto {

namespace {

EVP_MD const* fetch(char const* name)
{
    auto const* digest = EVP_MD_fetch(nullptr, name, nullptr);
    ASSERT(digest != nullptr); // OpenSSL's default provider always has the SHA-2 family
    return digest;
}

// A context that is never written to after its making: copying it is cheaper than setting a new one up.
MdCtxPtr start_sha256()
{
    MdCtxPtr context(EVP_MD_CTX_new());
    ASSERT(context != nullptr && EVP_DigestInit_ex2(context.get(), fetched_sha256(), nullptr) == 1);
    return context;
}

Sha256Digest finish_sha256(EVP_MD_CTX* context)
{
    Sha256Digest digest;
    unsigned size = 0;
    ASSERT(EVP_DigestFinal_ex(context, digest.data(), &size) == 1 && size == digest.size());
    return digest;
}

} // namespace

EVP_MD const* fetched_sha256()
{
    static EVP_MD const* const digest = fetch("SHA2-256");
    return digest;
}

EVP_MD const* fetched_sha384()
{
    static EVP_MD const* const digest = fetch("SHA2-384");
    return digest;
}

EVP_MD const* fetched_sha512()
{
    static EVP_MD const* const digest = fetch("SHA2-512");
    return digest;
}

Sha256Digest sha256(BytesView bytes) { return sha256(std::span<BytesView const>(&bytes, 1)); }

Sha256Digest sha256(std::span<BytesView const> parts)
{
    // One context a thread: a Merkle tree hashes millions of nodes, and an allocation each would cost more than the hash.
    thread_local MdCtxPtr const context = start_sha256();
    ASSERT(EVP_DigestInit_ex2(context.get(), nullptr, nullptr) == 1);
    for (auto const part : parts)
        ASSERT(EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1);
    return finish_sha256(context.get());
}

Sha256Digest hmac_sha256(BytesView key, BytesView message)
{
    Sha256Digest digest;
    unsigned size = 0;
    static std::uint8_t const empty_key = 0; // OpenSSL takes a null key for `the key of before`
    auto const* const key_bytes = key.empty() ? &empty_key : key.data();
    ASSERT(
        HMAC(fetched_sha256(), key_bytes, static_cast<int>(key.size()), message.data(), message.size(), digest.data(), &size) != nullptr);
    ASSERT(size == digest.size());
    return digest;
}

struct Sha256::State {
    MdCtxPtr context = start_sha256();
};

Sha256::Sha256()
    : state_(std::make_unique<State>())
{
}

Sha256::~Sha256() = default;

void Sha256::update(BytesView bytes) { ASSERT(EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()) == 1); }

Sha256Digest Sha256::finish() { return finish_sha256(state_->context.get()); }

} // namespace writ::crypto
