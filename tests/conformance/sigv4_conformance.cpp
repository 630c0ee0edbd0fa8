// SPDX-License-Identifier: Apache-2.0
//
// sigv4_conformance DIR: AWS's signing test suite, one folder for each case: canonical request, string to sign and signature of a request, signed in a
// header and in the query, byte for byte; and the signed request holds what was added. Version 4a (ECDSA) is not Writ's: skipped by rule.
#include "issue/aws_sts/sigv4.h"
#include "tally.h"

using namespace writ;
using namespace writ::conformance;
using namespace writ::issue;

namespace {

Result<std::string> read_text(Path const& file)
{
    auto const bytes = TRY(read_file(file));
    return std::string(as_text(bytes));
}

// A request as the suite writes it: nothing encoded, header lines that go on in the next, spaces in the path.
Sigv4Message parse_request(std::string_view text)
{
    auto const line = [&text] {
        auto const end = std::min(text.find('\n'), text.size());
        auto const found = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        return found;
    };
    Sigv4Message message;
    auto first = line();
    message.method = first.substr(0, first.find(' '));
    first.remove_prefix(message.method.size() + 1);
    message.target = first.substr(0, first.rfind(" HTTP/1.1"));
    std::vector<net::Headers::Field> fields;
    for (auto next = line(); !next.empty(); next = line()) {
        if (next.front() == ' ' && !fields.empty())
            fields.back().second += std::string(next);
        else
            fields.emplace_back(next.substr(0, next.find(':')), next.substr(next.find(':') + 1));
    }
    for (auto& [name, value] : fields)
        message.headers.add(name, std::move(value));
    message.body = text;
    return message;
}

struct Case {
    Sigv4Message message;
    Sigv4Credentials credentials;
    Sigv4Options options;
};

Result<Case> read_case(Path const& folder)
{
    auto const context = TRY(read_json(folder / "context.json"));
    auto const* credentials = context.if_contains("credentials");
    if (credentials == nullptr || !credentials->is_object())
        return invalid_argument("no credentials");
    auto const& object = credentials->as_object();
    Case one;
    one.message = parse_request(TRY(read_text(folder / "request.txt")));
    one.credentials = { text_at(object, "access_key_id"), SecretText(text_at(object, "secret_access_key")), SecretText(text_at(object, "token")) };
    one.options.region = text_at(context, "region");
    one.options.service = text_at(context, "service");
    one.options.time = TRY(parse_rfc3339(text_at(context, "timestamp")));
    one.options.normalize_path = TRY(bool_member(context, "normalize"));
    one.options.sign_body = TRY(bool_member(context, "sign_body"));
    if (context.contains("omit_session_token"))
        one.options.sign_session_token = !TRY(bool_member(context, "omit_session_token"));
    if (auto const* seconds = context.if_contains("expiration_in_seconds"); seconds != nullptr && seconds->is_int64())
        one.options.expires = std::chrono::seconds(seconds->as_int64());
    return one;
}

void check(Tally& tally, Path const& folder, std::string const& form, Sigv4Signed const& made)
{
    auto const name = folder.filename().string() + ", " + form;
    auto const expect = [&](std::string const& what, std::string const& found) {
        auto const wanted = read_text(folder / (form + "-" + what + ".txt"));
        tally.expect(wanted.is_ok() && *wanted == found, name + ": " + what);
    };
    expect("canonical-request", made.signature.canonical_request);
    expect("string-to-sign", made.signature.string_to_sign);
    expect("signature", made.signature.signature);
    auto const request = read_text(folder / (form + "-signed-request.txt"));
    tally.expect(request.is_ok() && request->find(made.query) != std::string::npos, name + ": query of the signed request");
    for (auto const& [header, value] : made.headers)
        tally.expect(request.is_ok() && request->find(header + ":" + value) != std::string::npos, name + ": " + header + " of the signed request");
}

} // namespace

int main(int count, char** arguments)
{
    if (count != 2) {
        std::fprintf(stderr, "usage: sigv4_conformance DIR\n");
        return 2;
    }
    Tally tally;
    for (auto const& file : json_files(arguments[1])) {
        if (file.filename() != "context.json")
            continue;
        auto const folder = file.parent_path();
        if (folder.parent_path().filename() == "v4a") {
            tally.skip("cases of version 4a");
            continue;
        }
        auto const read = read_case(folder);
        if (read.is_error()) {
            tally.expect(false, folder.string() + ": " + read.error().message);
            continue;
        }
        check(tally, folder, "header", sign_in_headers(read->message, read->credentials, read->options));
        check(tally, folder, "query", sign_in_query(read->message, read->credentials, read->options));
    }
    return tally.print();
}
