// SPDX-License-Identifier: Apache-2.0
#include "crypto/certificate.h"

#include <cctype>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

namespace writ::crypto {

namespace {

using StorePtr = std::unique_ptr<X509_STORE, OpensslDelete<X509_STORE_free>>;
using StoreCtxPtr = std::unique_ptr<X509_STORE_CTX, OpensslDelete<X509_STORE_CTX_free>>;

struct StackDelete {
    void operator()(STACK_OF(X509) * stack) const { sk_X509_pop_free(stack, X509_free); }
};
using StackPtr = std::unique_ptr<STACK_OF(X509), StackDelete>;

// LIMIT: SPIFFE chains have one or two intermediates; each costs a signature check, whoever sent it.
constexpr int path_length_max = 8;
constexpr std::size_t intermediates_max = 16;
// LIMIT: a bundle holds a root or a few, more while they rotate.
constexpr std::size_t roots_max = 100;
// 112 bits: RSA of 2048 bits, P-224, SHA-224. SHA-1 and MD5 are below.
constexpr int security_level = 2;

Result<StackPtr> parse_untrusted(std::span<Bytes const> certificates)
{
    if (certificates.size() > intermediates_max)
        return unauthenticated("certificate path has too many intermediates");
    StackPtr stack(sk_X509_new_null());
    ASSERT(stack != nullptr);
    for (auto const& der : certificates) {
        auto x509 = parse_x509(der);
        if (x509.is_error())
            return unauthenticated("intermediate " + x509.error().message);
        ASSERT(sk_X509_push(stack.get(), x509->get()) > 0);
        static_cast<void>(x509->release()); // the stack's from here on
    }
    return stack;
}

Result<StorePtr> parse_roots(std::span<Bytes const> roots)
{
    if (roots.empty() || roots.size() > roots_max)
        return unauthenticated("no roots, or too many");
    StorePtr store(X509_STORE_new());
    ASSERT(store != nullptr);
    for (auto const& der : roots) {
        auto const x509 = parse_x509(der);
        if (x509.is_error())
            return unauthenticated("root " + x509.error().message);
        ASSERT(X509_STORE_add_cert(store.get(), x509->get()) == 1); // takes its own reference
    }
    return store;
}

std::string reason_of(X509_STORE_CTX* context)
{
    std::string text = X509_verify_cert_error_string(X509_STORE_CTX_get_error(context));
    for (auto& character : text)
        character = static_cast<char>(std::tolower(static_cast<unsigned char>(character)));
    return "certificate at depth " + std::to_string(X509_STORE_CTX_get_error_depth(context)) + ": " + text;
}

// SECURITY: with partial paths allowed, a leaf that got among the roots would vouch for itself.
Result<> check_chain(X509_STORE_CTX* context)
{
    auto* chain = X509_STORE_CTX_get0_chain(context);
    auto const count = sk_X509_num(chain);
    for (int depth = 0; depth < count; ++depth)
        TRY(check_profile(sk_X509_value(chain, depth)).in("certificate at depth " + std::to_string(depth)));
    if (count == 0 || X509_check_ca(sk_X509_value(chain, count - 1)) != 1)
        return unauthenticated("certificate path ends at a root that is no CA");
    return {};
}

} // namespace

Result<> verify_path(BytesView leaf, std::span<Bytes const> intermediates, std::span<Bytes const> roots, Timestamp time)
{
    auto const leaf_x509 = parse_x509(leaf);
    if (leaf_x509.is_error())
        return unauthenticated(leaf_x509.error().message);
    auto const untrusted = TRY(parse_untrusted(intermediates));
    auto const store = TRY(parse_roots(roots));
    StoreCtxPtr const context(X509_STORE_CTX_new());
    ASSERT(context != nullptr && X509_STORE_CTX_init(context.get(), store.get(), leaf_x509->get(), untrusted.get()) == 1);
    auto* parameters = X509_STORE_CTX_get0_param(context.get());
    // A trust domain may publish an intermediate as its root (SPIFFE Trust Domain and Bundle §4.1); it then ends the path.
    X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_X509_STRICT | X509_V_FLAG_PARTIAL_CHAIN);
    X509_VERIFY_PARAM_set_time(parameters, static_cast<std::time_t>(to_unix_seconds(time)));
    X509_VERIFY_PARAM_set_depth(parameters, path_length_max);
    X509_VERIFY_PARAM_set_auth_level(parameters, security_level);
    auto const verified = X509_verify_cert(context.get());
    ERR_clear_error();
    if (verified != 1)
        return unauthenticated(reason_of(context.get()));
    return check_chain(context.get());
}

} // namespace writ::crypto
