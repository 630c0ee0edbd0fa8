// SPDX-License-Identifier: Apache-2.0
#include "authority/credential_source.h"

#include "authority/cloud_declaration.h"

namespace writ::authority {

namespace {

CredentialSource postgres_source(Declarations const& declared, CredentialProvider const& provider, std::string const& name, Dataset const& dataset)
{
    auto const database = declared.databases.find(provider.database);
    ASSERT(database != declared.databases.end()); // INVARIANT: compile_snapshot() checked the reference
    auto const& server = database->second.value;
    return { &provider,
        { { "host", server.host }, { "port", std::int64_t(server.port) }, { "database", server.database }, { "user", provider.user },
            { "password_file", provider.password_file }, { "owner", provider.owner }, { "service", name } },
        dataset.relation };
}

CredentialSource aws_source(CredentialProvider const& provider, Dataset const& dataset)
{
    auto const& aws = provider.aws;
    auto resource = s3_resource_of(dataset.location);
    ASSERT(resource.is_ok()); // INVARIANT: as above
    return { &provider,
        { { "endpoint", aws.endpoint }, { "role", aws.role }, { "through", aws.through }, { "region", aws.region }, { "audience", aws.audience }, { "ca_file", aws.ca_file },
            { "store_endpoint", aws.store_endpoint }, { "session_tags", aws.session_tags } },
        std::move(resource).value() };
}

CredentialSource object_source(CredentialProvider const& provider, Dataset const& dataset)
{
    auto resource = object_resource_of(provider.type, dataset.location);
    ASSERT(resource.is_ok()); // INVARIANT: as above
    return { &provider, settings_of(provider), std::move(resource).value() };
}

template <typename T> std::string credential_in(DeclaredByName<T> const& declared, std::string_view name)
{
    auto const found = declared.find(name);
    return found == declared.end() ? "" : found->second.value.credential;
}

// The name of the provider; empty: none.
std::string credential_of(Declarations const& declared, cedar::EntityUid const& resource)
{
    if (resource.type == "Dataset")
        return credential_in(declared.datasets, resource.id);
    if (resource.type == "Model")
        return credential_in(declared.models, resource.id);
    if (resource.type == "Endpoint")
        return credential_in(declared.endpoints, resource.id);
    return resource.type == "Api" ? credential_in(declared.apis, resource.id) : "";
}

std::string_view where_to_look(ErrorCode code)
{
    switch (code) {
    case ErrorCode::unavailable: return "; is that service up, reachable from the authority, and does it let the provider's login do this?";
    case ErrorCode::unauthenticated:
    case ErrorCode::permission_denied: return "; that service refuses the authority: see what the provider's login may do there, or whom it trusts";
    case ErrorCode::invalid_argument:
    case ErrorCode::not_found:
    case ErrorCode::conflict: return "; what is declared does not fit what is there";
    case ErrorCode::resource_exhausted:
    case ErrorCode::corruption:
    case ErrorCode::internal: return "; the authority's log says more";
    }
    return "";
}

} // namespace

Error not_issued(Error error, std::vector<cedar::EntityUid> const& resources)
{
    std::string names;
    for (auto const& resource : resources)
        names += (names.empty() ? "" : ", ") + resource.type + " `" + resource.id + "`";
    error.message += where_to_look(error.code);
    return std::move(error).in("for " + names);
}

std::optional<CredentialSource> source_of(Snapshot const& snapshot, cedar::EntityUid const& resource)
{
    auto const& declared = snapshot.declarations;
    auto const name = credential_of(declared, resource);
    if (name.empty())
        return std::nullopt;
    auto const provider = declared.credential_providers.find(name);
    ASSERT(provider != declared.credential_providers.end());
    if (!provider->second.value.token.empty())
        return CredentialSource { &provider->second.value, provider->second.value.token, { { "type", resource.type }, { "name", resource.id } } };
    auto const dataset = declared.datasets.find(resource.id);
    ASSERT(dataset != declared.datasets.end());
    if (provider->second.value.type == "aws_sts")
        return aws_source(provider->second.value, dataset->second.value);
    if (is_object_store(provider->second.value.type))
        return object_source(provider->second.value, dataset->second.value);
    return postgres_source(declared, provider->second.value, resource.id, dataset->second.value);
}

Result<JsonObject> s3_resource_of(std::string_view location)
{
    constexpr std::string_view scheme = "s3://";
    if (!location.starts_with(scheme))
        return invalid_argument("a dataset there has a `location: s3://BUCKET/PREFIX`");
    auto const place = location.substr(scheme.size());
    auto const slash = place.find('/');
    auto prefix = slash == std::string_view::npos ? std::string_view() : place.substr(slash + 1);
    if (prefix.ends_with('/'))
        prefix.remove_suffix(1);
    return JsonObject { { "bucket", place.substr(0, slash) }, { "prefix", prefix } };
}

} // namespace writ::authority
