// SPDX-License-Identifier: Apache-2.0
//
// What gives credentials of a system that is not Writ's own, for a run. Planning is apart from creating: the plan is durable before the credential
// exists, so that whatever happens in between, somebody knows what to take back. What nobody can take back has no lease: it dies by itself
// (RevocableIssuer). Used on one loop.
#pragma once

#include "base/clock.h"
#include "base/json.h"
#include "base/secret.h"
#include "crypto/ssh.h"
#include "net/task.h"

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace writ::issue {

// One thing that was decided: an action, on what the issuer's own system calls the resource (JSON: schema and table, bucket and prefix).
struct Access {
    std::string action; // `read`
    JsonObject resource;
};

// What a credential will be, before it is. No secret in it.
struct CredentialPlan {
    std::string kind; // `postgres_role`
    std::string name; // role name; empty: its system gives it one
    std::string scope; // in words: `SELECT on public.biopsies`
    std::string target; // JSON: all that create(), prolong() and revoke() need, whatever is declared by then
    std::map<std::string, std::string> environment {}; // what the job's clients are told before there is a credential; no secret
};

// A JWT by the authority that a job holds.
struct IdentityToken {
    SecretText token;
    std::string id; // `jti`
    Timestamp expires;
};

// What is kept sealed under a name.
struct StoredSecret {
    SecretText value;
    std::uint64_t version = 0;
};

// Whom it is for.
struct Recipient {
    std::string workload; // SPIFFE ID
    std::string run;
    std::string purpose;
    // LIMIT: the credential ends no later. One that cannot end so soon is refused.
    Timestamp expires;
    // A JWT by the authority that says who this is, for one audience; with these claims besides. For systems that trust the authority as their
    // identity provider; it never leaves for the job.
    std::function<Result<SecretText>(std::string audience, JsonObject claims)> assertion {};
    // The same for the job itself: it is handed over, and ends when the credential does.
    std::function<Result<IdentityToken>(std::string audience, JsonObject claims)> identity_token {};
    // SPEC: RFC 7523 §3: a JWT by which the authority itself is a token endpoint's client. It never leaves for the job either.
    std::function<Result<SecretText>(std::string client, std::string audience)> client_assertion {};
    // The newest version of a sealed secret. not_found: there is none of that name.
    std::function<Result<StoredSecret>(std::string name)> secret {};
    // Of a key that the node's agent made for this run, and keeps. Absent: it made none.
    std::optional<crypto::PublicKey> public_key {};
    // By the authority's SSH key; a line of a `-cert.pub` file.
    std::function<Result<std::string>(crypto::SshCertificate const&, crypto::PublicKey const& subject)> certify_ssh {};
};

// A file in the run's private folder.
struct CredentialFile {
    std::string name; // `pgpass`
    std::string variable; // that is set to its path: `PGPASSFILE`
    SecretText content;
};

// Where the agent puts the private half of Recipient::public_key.
struct KeyFile {
    std::string name, variable;
};

// A variable whose value is secret. It is set when the run starts, and nothing can renew it.
struct CredentialVariable {
    std::string name;
    SecretText value;
};

// What the run's clients of one kind are given when they go to one place.
struct PlacedCredential {
    std::string client; // `git`, `docker`, `kubernetes`
    std::string url;
    std::string username; // may be empty
    SecretText secret;
};

// What the job gets.
struct Credential {
    std::map<std::string, std::string> environment;
    std::vector<CredentialFile> files;
    std::string id; // as its system names it; never a secret; empty: the plan's name
    std::optional<Timestamp> expires; // as its system says; absent: as was asked
    // JSON that the agent's local endpoint serves to the job's clients, instead of variables and files, which cannot be renewed. May be empty.
    SecretText document;
    std::vector<CredentialVariable> variables {};
    std::vector<PlacedCredential> places {};
    std::optional<KeyFile> key_file {};
    // JSON that withdraw() is shown to end it before its time, the credential itself in it. Empty: nobody can.
    SecretText withdrawal {};
};

class RevocableIssuer;

class CredentialIssuer {
public:
    virtual ~CredentialIssuer() = default;

    // permission_denied: the system cannot serve that action. `provider` is the issuer's own declared settings as JSON. One credential for all of
    // the accesses and nothing else; invalid_argument: the system has none for that many.
    virtual Result<CredentialPlan> plan(JsonObject const& provider, std::span<Access const> accesses) = 0;
    virtual net::Task<Result<Credential>> create(CredentialPlan plan, Recipient recipient) = 0;

    // Null: what it gives cannot be taken back, and ends by itself.
    virtual RevocableIssuer* revocable() { return nullptr; }

    // Whether its credentials come as files and variables when the run starts, the files being replaced before they end; otherwise as a document that
    // the agent's endpoint serves.
    [[nodiscard]] virtual bool is_delivered() const { return false; }

    // Ends a credential whose system takes it back from whoever shows it. Idempotent. The recipient is as at its creation, but for its purpose.
    virtual net::Task<Result<>> withdraw(SecretText /*withdrawal*/, Recipient /*recipient*/) { co_return unavailable("nobody can take it back"); }
};

// One whose credentials live until somebody ends them: each has a lease.
class RevocableIssuer : public CredentialIssuer {
public:
    virtual net::Task<Result<>> prolong(std::string target, std::string name, Timestamp expires) = 0;
    // Ends it and what was opened with it. Idempotent: of a credential that is not there, success.
    virtual net::Task<Result<>> revoke(std::string target, std::string name) = 0;

    RevocableIssuer* revocable() final { return this; }
};

} // namespace writ::issue
