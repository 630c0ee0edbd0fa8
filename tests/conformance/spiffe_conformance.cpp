// SPDX-License-Identifier: Apache-2.0
//
// spiffe_conformance DIR: SPIFFE IDs (spiffe-id-cases.json), bundles and X.509-SVIDs (go-spiffe's test data) through our parsers. What a file is to be is told
// by its name, as its authors named them: `wrong`, `corrupt`, `missing`, `multiple` (two certificates for one key), `no_keys` and `empty` are
// to be refused, the others to parse.
#include "base/durable_file.h"
#include "crypto/x509.h"
#include "identity/bundle.h"
#include "identity/spiffe_id.h"

#include <algorithm>
#include <cstdio>

using namespace writ;

namespace {

struct Tally {
    int passed = 0, failed = 0, skipped = 0;
    void expect(bool holds, std::string const& what)
    {
        (holds ? passed : failed) += 1;
        if (!holds)
            std::printf("%s\n", what.c_str());
    }
};

std::string text_of(Path const& file)
{
    auto bytes = read_file(file);
    return bytes.is_ok() ? to_text(*bytes) : std::string();
}

void check_ids(Path const& file, Tally& tally)
{
    auto const cases = parse_json(text_of(file));
    if (cases.is_error() || !cases->is_array()) {
        tally.expect(false, file.string() + ": not a list of cases");
        return;
    }
    for (auto const& entry : cases->as_array()) {
        auto const input = string_member(entry.as_object(), "input");
        auto const valid = bool_member(entry.as_object(), "valid");
        if (input.is_error() || valid.is_error())
            tally.expect(false, file.string() + ": a case without `input` or `valid`");
        else
            tally.expect(identity::SpiffeId::parse(*input).is_ok() == *valid, "`" + std::string(*input) + "` should be " + (*valid ? "valid" : "invalid"));
    }
}

bool has_word(std::string const& name, std::initializer_list<char const*> words)
{
    return std::any_of(words.begin(), words.end(), [&name](char const* word) { return name.find(word) != std::string::npos; });
}

// The certificates of a PEM file; nothing at all if one is broken.
Result<std::vector<Bytes>> certificates_of(std::string_view text)
{
    constexpr std::string_view begin = "-----BEGIN CERTIFICATE-----";
    constexpr std::string_view end = "-----END CERTIFICATE-----";
    std::vector<Bytes> certificates;
    for (auto at = text.find(begin); at != std::string_view::npos; at = text.find(begin, at + 1)) {
        auto const stop = text.find(end, at);
        if (stop == std::string_view::npos)
            return invalid_argument("a certificate does not end");
        std::string body;
        std::copy_if(text.begin() + static_cast<std::ptrdiff_t>(at + begin.size()), text.begin() + static_cast<std::ptrdiff_t>(stop), std::back_inserter(body),
            [](char c) { return c != '\n' && c != '\r'; });
        certificates.push_back(TRY(parse_base64(body)));
    }
    if (certificates.empty())
        return invalid_argument("no certificate");
    return certificates;
}

// SPEC: X509-SVID §4 and §5.2: a leaf has one SPIFFE ID with a path or without, is no CA, and signs neither certificates nor CRLs but digitally; what follows it are CAs.
Result<> check_svid(std::vector<Bytes> const& path)
{
    auto const leaf = TRY(crypto::parse_certificate(path.front()));
    if (leaf.uris.size() != 1)
        return invalid_argument("not exactly one URI");
    TRY(identity::SpiffeId::parse(leaf.uris.front()));
    if (leaf.is_ca || leaf.may_sign_certificates || leaf.may_sign_crls || !leaf.may_sign)
        return invalid_argument("key usage is not a leaf's");
    for (std::size_t i = 1; i < path.size(); ++i) {
        auto const issuer = TRY(crypto::parse_certificate(path[i]));
        if (!issuer.is_ca || !issuer.may_sign_certificates)
            return invalid_argument("an intermediate is no CA");
    }
    return {};
}

void check_file(Path const& file, Tally& tally)
{
    auto const name = file.filename().string();
    auto const folder = file.parent_path().parent_path().filename().string();
    bool const wanted = !has_word(name, { "wrong", "corrupt", "missing", "multiple", "no_keys", "empty" });
    auto const text = text_of(file);
    if (name == "spiffe-id-cases.json")
        check_ids(file, tally);
    else if (folder == "spiffebundle" && name.ends_with(".json"))
        tally.expect(identity::parse_bundle(text).is_ok() == wanted, file.string() + (wanted ? ": refused" : ": accepted"));
    else if (folder == "x509svid" && name.ends_with(".pem") && !name.starts_with("key-") && !has_word(name, { "corrupt-key" })) {
        auto const path = certificates_of(text);
        tally.expect((path.is_ok() && check_svid(*path).is_ok()) == wanted, file.string() + (wanted ? ": refused" : ": accepted"));
    } else {
        tally.skipped += 1;
    }
}

} // namespace

int main(int count, char** arguments)
{
    if (count != 2) {
        std::fprintf(stderr, "usage: spiffe_conformance DIR\n");
        return 2;
    }
    Tally tally;
    std::vector<Path> files;
    for (auto const& entry : std::filesystem::recursive_directory_iterator(arguments[1])) {
        if (entry.is_regular_file())
            files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    for (auto const& file : files)
        check_file(file, tally);
    std::printf("%d files of other kinds skipped\n%d passed, %d failed\n", tally.skipped, tally.passed, tally.failed);
    return tally.failed == 0 && tally.passed > 0 ? 0 : 1;
}
