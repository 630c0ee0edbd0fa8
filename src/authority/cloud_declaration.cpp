// SPDX-License-Identifier: Apache-2.0
#include "authority/cloud_declaration.h"

#include "issue/azure_entra/azure_entra.h"
#include "issue/gcp_sts/gcp_sts.h"
#include "issue/object_place.h"

#include <algorithm>

namespace writ::authority {

namespace {

// A field that is checked as soon as it is there.
void check(FieldReader& fields, YamlNode const& node, std::string_view name, Result<> const& checked)
{
    auto const* field = node.find(name);
    if (checked.is_error())
        fields.problem((field != nullptr ? field : &node)->position, "field `" + std::string(name) + "`: " + checked.error().message);
}

// `name@PROJECT.iam.gserviceaccount.com`
std::string project_of(std::string_view service_account)
{
    auto const domain = service_account.substr(std::min(service_account.find('@') + 1, service_account.size()));
    return std::string(domain.substr(0, domain.find('.')));
}

// `head/rest`; without the `/` that may be at the rest's end.
std::pair<std::string_view, std::string_view> split_path(std::string_view path)
{
    auto const slash = std::min(path.find('/'), path.size());
    auto rest = path.substr(std::min(slash + 1, path.size()));
    if (rest.ends_with('/'))
        rest.remove_suffix(1);
    return { path.substr(0, slash), rest };
}

Result<JsonObject> google_place(std::string_view location)
{
    constexpr std::string_view scheme = "gs://";
    if (!location.starts_with(scheme))
        return invalid_argument("a dataset in Cloud Storage has a `location: gs://BUCKET/PREFIX`");
    auto const [bucket, prefix] = split_path(location.substr(scheme.size()));
    return JsonObject { { "bucket", bucket }, { "prefix", prefix } };
}

Result<JsonObject> azure_place(std::string_view location)
{
    constexpr std::string_view blob = "https://";
    constexpr std::string_view lake = "abfss://";
    if (location.starts_with(blob)) {
        auto const [account, path] = split_path(location.substr(blob.size()));
        auto const [container, prefix] = split_path(path);
        return JsonObject { { "account", account }, { "bucket", container }, { "prefix", prefix } };
    }
    auto const [authority, prefix] = split_path(location.starts_with(lake) ? location.substr(lake.size()) : std::string_view());
    auto const at = authority.find('@');
    if (at == std::string_view::npos)
        return invalid_argument("a dataset in Azure has a `location: https://ACCOUNT.blob.core.windows.net/CONTAINER/PREFIX` or `abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/PREFIX`");
    return JsonObject { { "account", authority.substr(at + 1) }, { "bucket", authority.substr(0, at) }, { "prefix", prefix } };
}

} // namespace

void read_gcp_sts(FieldReader& fields, YamlNode const& node, CredentialProvider& provider)
{
    auto& gcp = provider.gcp;
    gcp.workload_identity_provider = fields.text("workload_identity_provider");
    gcp.service_account = fields.text("service_account");
    gcp.project = fields.text_or("project", project_of(gcp.service_account));
    gcp.audience = fields.text_or("audience", "https://iam.googleapis.com/" + gcp.workload_identity_provider);
    gcp.sts_endpoint = fields.text_or("sts_endpoint", gcp.sts_endpoint);
    gcp.iam_endpoint = fields.text_or("iam_endpoint", gcp.iam_endpoint);
    gcp.store_endpoint = fields.text_or("store_endpoint", "");
    gcp.ca_file = fields.text_or("ca_file", "");
    provider.lifetime = fields.duration_or("lifetime", std::chrono::hours(1));
    if (!gcp.workload_identity_provider.empty())
        check(fields, node, "workload_identity_provider", issue::check_workload_identity_provider(gcp.workload_identity_provider));
    if (!gcp.service_account.empty())
        check(fields, node, "service_account", issue::check_service_account(gcp.service_account));
    check(fields, node, "sts_endpoint", issue::check_token_service(gcp.sts_endpoint));
    check(fields, node, "iam_endpoint", issue::check_token_service(gcp.iam_endpoint));
    if (provider.lifetime < issue::gcp_token_min || provider.lifetime > issue::gcp_token_max)
        check(fields, node, "lifetime", invalid_argument("a token of a service account lives from 10m to 12h"));
}

void read_azure_entra(FieldReader& fields, YamlNode const& node, CredentialProvider& provider)
{
    auto& azure = provider.azure;
    azure.tenant = fields.text("tenant");
    azure.client_id = fields.text("client_id");
    azure.scope = fields.text_or("scope", azure.scope);
    azure.access = fields.text_or("access", azure.access);
    azure.audience = fields.text_or("audience", azure.audience);
    azure.endpoint = fields.text_or("endpoint", azure.endpoint);
    azure.ca_file = fields.text_or("ca_file", "");
    provider.lifetime = fields.duration_or("lifetime", issue::entra_token_usual);
    if (!azure.tenant.empty())
        check(fields, node, "tenant", issue::check_entra_tenant(azure.tenant));
    if (!azure.client_id.empty())
        check(fields, node, "client_id", issue::check_entra_client_id(azure.client_id));
    check(fields, node, "scope", issue::check_entra_scope(azure.scope));
    check(fields, node, "endpoint", issue::check_token_service(azure.endpoint));
    if (azure.access != "read" && azure.access != "write")
        check(fields, node, "access", invalid_argument("`read` or `write`"));
    if (provider.lifetime < issue::entra_token_min || provider.lifetime > issue::entra_token_max)
        check(fields, node, "lifetime", invalid_argument("a token of Entra lives from 15m to 24h"));
}

bool is_object_store(std::string_view provider_type) { return provider_type == "gcp_sts" || provider_type == "azure_entra"; }

JsonObject settings_of(CredentialProvider const& provider)
{
    if (provider.type == "azure_entra") {
        auto const& azure = provider.azure;
        return { { "tenant", azure.tenant }, { "client_id", azure.client_id }, { "scope", azure.scope }, { "access", azure.access }, { "audience", azure.audience },
            { "endpoint", azure.endpoint }, { "ca_file", azure.ca_file } };
    }
    auto const& gcp = provider.gcp;
    return { { "workload_identity_provider", gcp.workload_identity_provider }, { "service_account", gcp.service_account }, { "project", gcp.project },
        { "audience", gcp.audience }, { "sts_endpoint", gcp.sts_endpoint }, { "iam_endpoint", gcp.iam_endpoint }, { "store_endpoint", gcp.store_endpoint },
        { "ca_file", gcp.ca_file } };
}

Result<JsonObject> object_resource_of(std::string_view provider_type, std::string_view location)
{
    auto resource = TRY(provider_type == "azure_entra" ? azure_place(location) : google_place(location));
    TRY(issue::parse_object_place(resource));
    return resource;
}

} // namespace writ::authority
