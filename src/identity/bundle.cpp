// SPDX-License-Identifier: Apache-2.0
#include "identity/bundle.h"

#include "crypto/jws.h"
#include "crypto/x509.h"

namespace writ::identity {

namespace {

JsonObject to_jwk(JwtKey const& key, std::string_view use)
{
    auto jwk = key.key.to_jwk();
    jwk.emplace("kid", key.id);
    jwk.emplace("use", use);
    jwk.emplace("alg", crypto::to_string(key.algorithm));
    // Relying parties that pin a certificate's thumbprint look for it here (Ceph); the SPIFFE bundle has none for its JWT keys (§4.2.3).
    if (use == "sig" && !key.certificate.empty())
        jwk.emplace("x5c", JsonArray { to_base64(key.certificate) });
    return jwk;
}

Result<JsonObject> to_jwk(Bytes const& certificate)
{
    auto const parsed = TRY(crypto::parse_certificate(certificate));
    auto const key = TRY(crypto::PublicKey::parse_spki(parsed.spki));
    auto jwk = key.to_jwk();
    jwk.emplace("use", "x509-svid");
    jwk.emplace("x5c", JsonArray { to_base64(certificate) });
    return jwk;
}

crypto::Algorithm usual_algorithm(crypto::KeyType type)
{
    switch (type) {
    case crypto::KeyType::p256: return crypto::Algorithm::es256;
    case crypto::KeyType::p384: return crypto::Algorithm::es384;
    case crypto::KeyType::p521: return crypto::Algorithm::es512;
    case crypto::KeyType::ed25519: return crypto::Algorithm::eddsa;
    case crypto::KeyType::rsa: return crypto::Algorithm::rs256;
    }
    return crypto::Algorithm::es256;
}

} // namespace

JwtKey const* Bundle::find_jwt_key(std::string_view id) const
{
    for (auto const& key : jwt_keys) {
        if (key.id == id)
            return &key;
    }
    return nullptr;
}

JsonObject to_jwk_set(std::vector<JwtKey> const& keys, std::string_view use)
{
    JsonArray array;
    for (auto const& key : keys)
        array.push_back(to_jwk(key, use));
    return { { "keys", std::move(array) } };
}

JsonObject to_json(Bundle const& bundle)
{
    auto object = to_jwk_set(bundle.jwt_keys, "jwt-svid");
    auto& keys = object["keys"].as_array();
    for (auto const& root : bundle.x509_roots) {
        auto jwk = to_jwk(root);
        ASSERT(jwk.is_ok()); // INVARIANT: roots were parsed before they came into a bundle
        keys.push_back(std::move(jwk).value());
    }
    if (bundle.sequence)
        object.emplace("spiffe_sequence", *bundle.sequence);
    if (bundle.refresh_hint)
        object.emplace("spiffe_refresh_hint", *bundle.refresh_hint);
    return object;
}

Result<Bundle> parse_bundle(std::string_view json)
{
    auto const object = TRY(parse_json_object(json));
    Bundle bundle;
    if (object.contains("spiffe_sequence"))
        bundle.sequence = TRY(integer_member(object, "spiffe_sequence"));
    if (object.contains("spiffe_refresh_hint"))
        bundle.refresh_hint = TRY(integer_member(object, "spiffe_refresh_hint"));
    for (auto& key : TRY(crypto::parse_jwk_set(json))) {
        if (key.use == "jwt-svid") {
            // SPEC: SPIFFE Trust Domain and Bundle §4.2.3: a JWT-SVID key has a `kid`.
            if (key.id.empty())
                return invalid_argument("a jwt-svid key has no `kid`");
            bundle.jwt_keys.push_back({ key.id, key.algorithm.value_or(usual_algorithm(key.key.type())), key.key });
        } else if (key.use == "x509-svid") {
            if (key.x5c.size() != 1)
                return invalid_argument("an x509-svid key has exactly one certificate in `x5c`");
            auto const certificate = TRY(crypto::parse_certificate(key.x5c.front()));
            if (certificate.spki != key.key.to_spki())
                return invalid_argument("an x509-svid key is not that of its certificate");
            bundle.x509_roots.push_back(key.x5c.front());
        }
    }
    return bundle;
}

} // namespace writ::identity
