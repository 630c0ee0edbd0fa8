// SPDX-License-Identifier: Apache-2.0
#include "crypto/aead.h"

#include "crypto/openssl.h"

namespace writ::crypto {

namespace {

constexpr std::size_t key_size = 32;
constexpr std::size_t nonce_size = 12;
constexpr std::size_t tag_size = 16;
// LIMIT: OpenSSL counts in int; what is sealed here is keys and small files.
constexpr std::size_t text_size_max = 1U << 30U;

EVP_CIPHER const* aes_256_gcm()
{
    static EVP_CIPHER const* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
    ASSERT(cipher != nullptr);
    return cipher;
}

} // namespace

Bytes seal(SecretBytes const& key, BytesView plaintext, BytesView associated, RandomSource& random)
{
    ASSERT(key.reveal().size() == key_size && plaintext.size() <= text_size_max && associated.size() <= text_size_max);
    Bytes sealed(nonce_size + plaintext.size() + tag_size);
    random.fill(std::span(sealed).first(nonce_size));

    CipherCtxPtr const context(EVP_CIPHER_CTX_new());
    int written = 0;
    ASSERT(context != nullptr && EVP_EncryptInit_ex2(context.get(), aes_256_gcm(), key.reveal().data(), sealed.data(), nullptr) == 1);
    ASSERT(EVP_EncryptUpdate(context.get(), nullptr, &written, associated.data(), static_cast<int>(associated.size())) == 1);
    auto* const text = sealed.data() + nonce_size;
    ASSERT(EVP_EncryptUpdate(context.get(), text, &written, plaintext.data(), static_cast<int>(plaintext.size())) == 1);
    auto* const tag = text + plaintext.size();
    ASSERT(EVP_EncryptFinal_ex(context.get(), tag, &written) == 1 && written == 0);
    ASSERT(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, tag_size, tag) == 1);
    return sealed;
}

Result<SecretBytes> open(SecretBytes const& key, BytesView sealed, BytesView associated)
{
    ASSERT(key.reveal().size() == key_size && associated.size() <= text_size_max);
    if (sealed.size() < nonce_size + tag_size || sealed.size() > text_size_max)
        return corruption("sealed bytes have an impossible length");
    auto const text = sealed.subspan(nonce_size, sealed.size() - nonce_size - tag_size);
    Bytes tag(sealed.end() - tag_size, sealed.end());
    Bytes plaintext(text.size());

    CipherCtxPtr const context(EVP_CIPHER_CTX_new());
    int written = 0;
    ASSERT(context != nullptr && EVP_DecryptInit_ex2(context.get(), aes_256_gcm(), key.reveal().data(), sealed.data(), nullptr) == 1);
    ASSERT(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, tag_size, tag.data()) == 1);
    ASSERT(EVP_DecryptUpdate(context.get(), nullptr, &written, associated.data(), static_cast<int>(associated.size())) == 1);
    ASSERT(EVP_DecryptUpdate(context.get(), plaintext.data(), &written, text.data(), static_cast<int>(text.size())) == 1);
    SecretBytes opened(std::move(plaintext)); // SECURITY: from here on wiped, whether the tag holds or not
    if (EVP_DecryptFinal_ex(context.get(), tag.data(), &written) != 1) {
        ERR_clear_error();
        return corruption("sealed bytes do not open with this key");
    }
    return opened;
}

} // namespace writ::crypto
