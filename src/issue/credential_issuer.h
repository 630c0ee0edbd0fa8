// SPDX-License-Identifier: Apache-2.0
//
// What gives credentials of a system that is not Writ's own, for a run, and takes them back. Planning is apart from creating: the plan is durable
// before the credential exists, so that whatever happens in between, somebody knows what to take back. Used on one loop.
#pragma once

#include "base/clock.h"
#include "base/json.h"
#include "base/secret.h"
#include "net/task.h"

#include <map>
#include <string>
#include <vector>

namespace writ::issue {

// What a credential will be, before it is. No secret in it.
struct CredentialPlan {
    std::string kind; // `postgres_role`
    std::string name; // role name
    std::string scope; // in words: `SELECT on public.biopsies`
    std::string target; // JSON: all that prolong() and revoke() need, whatever is declared by then
};

// A file in the run's private folder.
struct CredentialFile {
    std::string name; // `pgpass`
    std::string variable; // that is set to its path: `PGPASSFILE`
    SecretText content;
};

// What the job gets.
struct Credential {
    std::map<std::string, std::string> environment;
    std::vector<CredentialFile> files;
};

class CredentialIssuer {
public:
    virtual ~CredentialIssuer() = default;

    // permission_denied: the system cannot serve that action. `provider` and `resource` are the issuer's own declared settings as JSON.
    virtual Result<CredentialPlan> plan(JsonObject const& provider, JsonObject const& resource, std::string_view action) = 0;
    // The credential dies by itself at `expires`, as far as its system can do that.
    virtual net::Task<Result<Credential>> create(CredentialPlan plan, Timestamp expires) = 0;
    virtual net::Task<Result<>> prolong(std::string target, std::string name, Timestamp expires) = 0;
    // Ends it and what was opened with it. Idempotent: of a credential that is not there, success.
    virtual net::Task<Result<>> revoke(std::string target, std::string name) = 0;
};

} // namespace writ::issue
