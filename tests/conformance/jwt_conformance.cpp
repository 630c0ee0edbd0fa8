// SPDX-License-Identifier: Apache-2.0
//
// jwt_conformance DIR: forged and borderline tokens (jwt-attacks) against a verifier put together as ours are: the key by `kid` from a JWK
// set, its one algorithm, our issuer, our audience, the case's time.
#include "crypto/jwt.h"
#include "tally.h"

using namespace writ;
using namespace writ::conformance;
using namespace writ::crypto;

namespace {

struct Verifier {
    std::vector<JwkSetKey> keys;
    std::vector<std::string> algorithms;
    std::string issuer, audience;
    Timestamp time;

    [[nodiscard]] Result<Jwt> verify(std::string_view token) const
    {
        auto const jwt = TRY(UnverifiedJwt::parse(token));
        for (auto const& key : keys) {
            if (key.id != jwt.key_id_without_verifying() || !key.algorithm || !std::ranges::count(algorithms, to_string(*key.algorithm)))
                continue;
            JwtExpectation const expected { .accepted = std::span(&*key.algorithm, 1), .audience = audience, .issuer = issuer };
            return jwt.verify(key.key, expected, ManualClock(time));
        }
        return unauthenticated("no such key");
    }
};

Result<Verifier> verifier_of(JsonObject const& file)
{
    return Verifier { .keys = TRY(parse_jwk_set(to_text(JsonValue(*TRY(object_member(file, "jwks")))))),
        .algorithms = TRY(strings_member(file, "allowed_algs")),
        .issuer = text_at(file, "issuer"),
        .audience = text_at(file, "audience"),
        .time = from_unix_seconds(TRY(integer_member(file, "verify_at"))) };
}

void check_file(Path const& path, Tally& tally)
{
    auto const file = read_json(path);
    if (file.is_error())
        return tally.expect(false, file.error().message);
    auto const verifier = verifier_of(*file);
    if (verifier.is_error())
        return tally.expect(false, path.string() + ": " + verifier.error().message);
    for (auto const& test : objects_at(*file, "cases")) {
        auto const outcome = verifier->verify(text_at(test, "token"));
        auto const wanted = text_at(test, "expect");
        tally.expect(outcome.is_ok() == (wanted == "accept"),
            text_at(test, "id") + " should be " + wanted + "ed: " + (outcome.is_ok() ? "accepted" : outcome.error().message));
    }
}

} // namespace

int main(int count, char** arguments)
{
    if (count != 2) {
        std::fputs("usage: jwt_conformance DIR\n", stderr);
        return 2;
    }
    Tally tally;
    for (auto const& path : json_files(arguments[1]))
        check_file(path, tally);
    return tally.print();
}
