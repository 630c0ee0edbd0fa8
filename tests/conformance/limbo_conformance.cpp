// SPDX-License-Identifier: Apache-2.0
//
// limbo_conformance DIR: certificate paths of C2SP's x509-limbo through verify_path(). Its `rfc5280`, `pathlen` and `pathological` families
// are about paths; `webpki` is about browsers' rules and DNS names, which SPIFFE does not have: skipped, as are cases that set a purpose or
// a depth that verify_path() does not take.
#include "crypto/x509.h"
#include "tally.h"

using namespace writ;
using namespace writ::conformance;
using namespace writ::crypto;

namespace {

Bytes der_of(std::string_view pem)
{
    std::string base64;
    for (std::size_t at = 0; at < pem.size();) {
        auto const end = std::min(pem.find('\n', at), pem.size());
        if (auto const line = pem.substr(at, end - at); !line.starts_with("-----"))
            base64 += line;
        at = end + 1;
    }
    auto bytes = parse_base64(base64);
    return bytes.is_ok() ? std::move(*bytes) : Bytes();
}

std::vector<Bytes> certificates_at(JsonObject const& test, std::string_view name)
{
    std::vector<Bytes> certificates;
    auto const pems = strings_member(test, name);
    if (pems.is_ok())
        for (auto const& pem : *pems)
            certificates.push_back(der_of(pem));
    return certificates;
}

// The rule by which a case is skipped; empty if it is not.
std::string reason_to_skip(JsonObject const& test)
{
    if (text_at(test, "id").starts_with("webpki::"))
        return "rules of browsers and DNS names";
    if (test.contains("max_chain_depth") && !test.at("max_chain_depth").is_null())
        return "a depth of the caller's choice";
    if (auto const purposes = strings_member(test, "extended_key_usage"); purposes.is_ok() && !purposes->empty())
        return "a purpose of the caller's choice";
    return "";
}

// The case's time; those without one hold when their certificates do, which is when the corpus was made.
Timestamp time_of(JsonObject const& test)
{
    auto const stated = parse_rfc3339(text_at(test, "validation_time"));
    return stated.is_ok() ? *stated : parse_rfc3339("2023-12-01T00:00:00Z").value();
}

void check_file(Path const& path, Tally& tally)
{
    auto const file = read_json(path);
    if (file.is_error())
        return tally.expect(false, file.error().message);
    for (auto const& test : objects_at(*file, "testcases")) {
        if (auto const reason = reason_to_skip(test); !reason.empty()) {
            tally.skip(reason);
            continue;
        }
        auto const outcome = verify_path(der_of(text_at(test, "peer_certificate")), certificates_at(test, "untrusted_intermediates"),
            certificates_at(test, "trusted_certs"), time_of(test));
        auto const wanted = text_at(test, "expected_result");
        tally.expect(outcome.is_ok() == (wanted == "SUCCESS"),
            text_at(test, "id") + " should be " + wanted + ": " + (outcome.is_ok() ? "verified" : outcome.error().message));
    }
}

} // namespace

int main(int count, char** arguments)
{
    if (count != 2) {
        std::fputs("usage: limbo_conformance DIR\n", stderr);
        return 2;
    }
    Tally tally;
    for (auto const& path : json_files(arguments[1]))
        if (path.filename() != "limbo-schema.json")
            check_file(path, tally);
    return tally.print();
}
