// SPDX-License-Identifier: Apache-2.0
//
// What an operator declares: plain values, one type a kind, as parsed from YAML documents (declaration_parser.h). They say nothing yet
// of how they fit together; snapshot.h checks that.
#pragma once

#include "audit/export/destination.h"
#include "base/clock.h"
#include "base/json.h"
#include "identity/workload.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace writ::authority {

// A place in a declared file; line and column count from 1.
struct Position {
    std::string path;
    int line = 1;
    int column = 1;
};

// Why a declaration was refused, and where.
struct Problem {
    Position position;
    std::string message;
};
std::string to_string(Problem const&); // path:line:column: message

// One file as it was sent: YAML documents (.yaml, .yml) or Cedar policies (.cedar).
struct Document {
    std::string path;
    std::string text;
};

struct TrustProvider {
    std::string name;
    std::string type; // `unix`: claims that a node's agent reads from its kernel
};

struct Database {
    std::string name;
    std::string type; // `postgres`
    std::string host;
    std::uint16_t port = 5432;
    std::string database;
    std::map<std::string, std::string> attributes;
};

// An AWS-style STS and the role that its sessions are of.
struct AwsSts {
    std::string role; // ARN
    std::string region;
    std::string endpoint; // URL; of AWS in that region if absent
    std::string audience = "sts.amazonaws.com"; // that the role's identity provider expects
    std::string ca_file; // PEM; empty: the system's roots
    std::string store_endpoint; // URL of S3, where it is not AWS's
    std::string through; // a role that trusts this authority, from which `role` is assumed; empty: `role` does
    bool session_tags = false; // workload, run and purpose; the role's trust policy must allow sts:TagSession
};

// A workload identity pool of Google Cloud that trusts this authority, and the service account that its tokens are of.
struct GcpSts {
    std::string workload_identity_provider; // `projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER`
    std::string service_account; // email
    std::string project; // of the service account if absent
    std::string audience; // that the pool's provider expects; its own URL if absent
    std::string sts_endpoint = "https://sts.googleapis.com";
    std::string iam_endpoint = "https://iamcredentials.googleapis.com";
    std::string store_endpoint; // URL of Cloud Storage's API, where it is not Google's
    std::string ca_file; // PEM; empty: the system's roots
};

// An application in Microsoft Entra that trusts this authority by a federated credential.
struct AzureEntra {
    std::string tenant; // GUID or domain
    std::string client_id; // GUID
    std::string scope = "https://storage.azure.com/.default";
    std::string access = "read"; // what its role assignment lets it do where the data sets are: `read`, `write`
    std::string audience = "api://AzureADTokenExchange"; // that the federated credential expects
    std::string endpoint = "https://login.microsoftonline.com";
    std::string ca_file; // PEM; empty: the system's roots
};

struct CredentialProvider {
    std::string name;
    std::string type; // `postgres_role`, `aws_sts`, `gcp_sts`, `azure_entra`
    std::string database;
    std::string user;
    std::string password_file; // on the authority's machine; the password itself is never declared
    std::string owner; // the role that gets the tables a run made; empty: they are dropped
    Duration lifetime = std::chrono::minutes(10);
    AwsSts aws;
    GcpSts gcp;
    AzureEntra azure;
    JsonObject token {}; // settings of issuers of tokens and keys (token_declaration.h)
};

// What a data set or a model was at some time, by what its operator says: nothing here is fetched or hashed.
struct Versions {
    std::map<std::string, std::string, std::less<>> digests; // by version: `sha256:` and 64 hexadecimal digits
    std::map<std::string, std::string, std::less<>> aliases; // `latest`: the version that it means
    std::string current;                                     // the version that the bare name means; empty: none is said
};

struct Dataset {
    std::string name;
    std::string database;
    JsonObject relation {}; // in that database: tables or a part of them (database_declaration.h)
    std::string location; // where it is, for people and records; derived from database and tables if absent
    std::vector<std::string> classification;
    std::vector<std::string> purpose;
    std::string credential; // a CredentialProvider's name
    Versions versions;
};

struct Model {
    std::string name;
    std::vector<std::string> classification;
    std::vector<std::string> purpose;
    std::string credential; // a CredentialProvider's name
    Versions versions;
};

// Something called over a network: a served model (Endpoint) or an API.
struct Service {
    std::string name;
    std::string url;
    std::vector<std::string> purpose;
    std::string credential; // a CredentialProvider's name
};

// A declaration with where it stood.
template <typename T> struct Declared {
    T value;
    Position position;
};

template <typename T> using DeclaredByName = std::map<std::string, Declared<T>, std::less<>>;

// What of contexts and claims may stand in the audit log as digests only.
struct AuditRedaction {
    std::string name;
    std::vector<std::string> context;
    std::vector<std::string> claims;
};

struct Declarations {
    DeclaredByName<TrustProvider> trust_providers;
    DeclaredByName<identity::Workload> workloads;
    DeclaredByName<Database> databases;
    DeclaredByName<CredentialProvider> credential_providers;
    DeclaredByName<Dataset> datasets;
    DeclaredByName<Model> models;
    DeclaredByName<Service> endpoints;
    DeclaredByName<Service> apis;
    DeclaredByName<AuditRedaction> audit_redactions;
    DeclaredByName<audit::ExportSpecification> audit_exports;
};

} // namespace writ::authority
