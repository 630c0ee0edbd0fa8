// SPDX-License-Identifier: Apache-2.0
#include "crypto/signature.h"

#include "crypto/der.h"
#include "crypto/key_state.h"

#include <openssl/rsa.h>

namespace writ::crypto {

namespace {

bool is_ecdsa(Algorithm algorithm)
{
    return algorithm == Algorithm::es256 || algorithm == Algorithm::es384 || algorithm == Algorithm::es512;
}

Bytes raw_to_der(BytesView raw)
{
    Bytes numbers;
    append_unsigned(numbers, raw.first(raw.size() / 2));
    append_unsigned(numbers, raw.last(raw.size() / 2));
    Bytes der;
    append_element(der, DerTag::sequence, numbers);
    return der;
}

void append_padded(Bytes& out, BytesView number, std::size_t size)
{
    ASSERT(number.size() <= size);
    out.insert(out.end(), size - number.size(), 0);
    append_bytes(out, number);
}

// Of a signature that OpenSSL just made.
Result<Bytes> der_to_raw(BytesView der, std::size_t size)
{
    DerReader outer(der);
    DerReader numbers(TRY(outer.next(DerTag::sequence)));
    Bytes raw;
    append_padded(raw, TRY(numbers.next_unsigned()), size);
    append_padded(raw, TRY(numbers.next_unsigned()), size);
    return raw;
}

// SPEC: RFC 7518 §3.5: "The size of the salt value is the same size as the hash function output", MGF1 with the same hash (the default).
bool set_padding(EVP_PKEY_CTX* context, Algorithm algorithm)
{
    if (!is_pss(algorithm))
        return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1;
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1
        && EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
}

MdCtxPtr start_signing(PrivateKey::State const& key, Algorithm algorithm)
{
    MdCtxPtr context(EVP_MD_CTX_new());
    ASSERT(context != nullptr);
    if (key.signing != nullptr) {
        ASSERT(EVP_MD_CTX_copy_ex(context.get(), key.signing.get()) == 1);
        return context;
    }
    EVP_PKEY_CTX* padding = nullptr;
    ASSERT(EVP_DigestSignInit(context.get(), &padding, digest_of(algorithm), nullptr, key.key.get()) == 1);
    ASSERT(set_padding(padding, algorithm));
    return context;
}

MdCtxPtr start_verifying(PublicKey::State const& key, Algorithm algorithm)
{
    MdCtxPtr context(EVP_MD_CTX_new());
    ASSERT(context != nullptr);
    if (key.verifying != nullptr) {
        ASSERT(EVP_MD_CTX_copy_ex(context.get(), key.verifying.get()) == 1);
        return context;
    }
    EVP_PKEY_CTX* padding = nullptr;
    ASSERT(EVP_DigestVerifyInit(context.get(), &padding, digest_of(algorithm), nullptr, key.key.get()) == 1);
    ASSERT(set_padding(padding, algorithm));
    return context;
}

} // namespace

Result<Bytes> sign(PrivateKey const& key, Algorithm algorithm, BytesView message, EcdsaForm form)
{
    if (!is_usable(key.type(), algorithm))
        return invalid_argument("key is not one of algorithm " + std::string(to_string(algorithm)));
    auto const context = start_signing(key.state(), algorithm);
    Bytes signature(static_cast<std::size_t>(EVP_PKEY_get_size(key.state().key.get())));
    auto size = signature.size();
    if (EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) != 1)
        return unavailable("sign: " + last_openssl_error());
    signature.resize(size);
    if (is_ecdsa(algorithm) && form == EcdsaForm::raw)
        return der_to_raw(signature, coordinate_size(key.type()));
    return signature;
}

Result<> verify(PublicKey const& key, Algorithm algorithm, BytesView message, BytesView signature, EcdsaForm form)
{
    auto const refused = [] { return unauthenticated("signature does not verify"); };
    if (!is_usable(key.type(), algorithm))
        return unauthenticated("key is not one of the signature's algorithm");
    Bytes der;
    if (is_ecdsa(algorithm) && form == EcdsaForm::raw) {
        if (signature.size() != 2 * coordinate_size(key.type()))
            return refused();
        der = raw_to_der(signature);
        signature = der;
    }
    auto const context = start_verifying(key.state(), algorithm);
    if (EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()) != 1) {
        ERR_clear_error();
        return refused();
    }
    return {};
}

} // namespace writ::crypto
