// SPDX-License-Identifier: Apache-2.0
//
// What issuers of tokens and keys have in common: how the value gets to the job, and which scopes an action may have. Both are declared on a
// CredentialProvider; its settings as JSON are `file`, `file_content`, `file_variable`, `variable`, `environment`, `places` and
// `scopes`.
#pragma once

#include "issue/credential_issuer.h"

#include <set>

namespace writ::issue {

// Where clients that ask the agent are given it: `git` at `https://git.example/team`.
struct TokenPlace {
    std::string client, url, username;
};

struct TokenDelivery {
    std::string file; // its name in the run's folder
    std::string file_variable; // set to the file's path; empty: no file
    std::string variable; // set to the value itself; empty: none
    std::map<std::string, std::string> environment; // no secrets: addresses and ids that the client wants to know besides
    std::vector<TokenPlace> places {};
    std::string file_content {}; // with `{token}` where it goes; empty: the token alone
};

// `machine api.example login writ password {token}`: text with one `{token}` in it, for clients that read it from among other words.
Result<> check_file_content(std::string_view);
// A header field that shows a token: `authorization: Bearer {token}`. None that says whose a message is or where it ends.
Result<> check_token_field(std::string_view);

Result<TokenDelivery> parse_token_delivery(JsonObject const& settings);

// Puts the value where the delivery says. No line end behind it: clients take it for a part of the token.
void deliver_token(Credential&, TokenDelivery const&, SecretText value);

using Scopes = std::set<std::string>;

// Those of all the actions. permission_denied: an action is not in `scopes`; what no scope stands for may be given as an empty text.
Result<Scopes> scopes_of(JsonObject const& settings, std::span<Access const>);

// SPEC: RFC 6749 §3.3: scope-token *( SP scope-token ), of printable ASCII without `"` and `\`.
Result<Scopes> parse_scopes(std::string_view text);
std::string to_text(Scopes const&);

// For a plan: `call openai-api (model.read)`.
std::string words_of(std::span<Access const>, Scopes const&);

// The plan that all of these have: the settings with the scope that was decided, as `scope`.
Result<CredentialPlan> plan_token(std::string kind, JsonObject const& settings, std::span<Access const>);

} // namespace writ::issue
