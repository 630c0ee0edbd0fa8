// SPDX-License-Identifier: Apache-2.0
#include "agent/azure_endpoint.h"
#include "agent/client_environment.h"
#include "agent/google_endpoint.h"

#include <gtest/gtest.h>

using namespace writ;
using namespace writ::agent;

namespace {

JsonObject session()
{
    return { { "access_token", "secret" }, { "email", "a-1@acme.iam.gserviceaccount.com" }, { "project", "acme" }, { "project_number", "123" },
        { "scopes", JsonArray { "https://www.googleapis.com/auth/cloud-platform" } } };
}

net::Response ask(std::string_view path, bool is_recursive = false, std::string_view alt = "")
{
    return metadata_response(google_metadata(session()).value(), path, is_recursive, alt);
}

WatchedRun run_with(std::vector<std::pair<std::string, std::string>> const& provider_and_kind)
{
    WatchedRun run;
    run.id = "run-aaaaaaaaaaaaaaaaaaaa";
    for (auto const& [provider, kind] : provider_and_kind)
        run.sessions.push_back({ provider, "read", "Dataset", "of-" + provider, kind });
    return run;
}

} // namespace

TEST(GoogleMetadata, has_the_paths_that_clients_look_at)
{
    EXPECT_EQ(ask("/project/project-id").body, "acme");
    EXPECT_EQ(ask("/project/numeric-project-id").body, "123");
    EXPECT_EQ(ask("/universe/universe-domain").body, "googleapis.com");
    EXPECT_EQ(ask("/instance/service-accounts").body, "default/\na-1@acme.iam.gserviceaccount.com/\n");
    EXPECT_EQ(ask("/instance/service-accounts/default/email").body, "a-1@acme.iam.gserviceaccount.com");
    EXPECT_EQ(ask("/instance/service-accounts/a-1@acme.iam.gserviceaccount.com/scopes").body, "https://www.googleapis.com/auth/cloud-platform\n");
    EXPECT_EQ(ask("").body, "instance/\nproject/\nuniverse/\n");
    for (auto const* path : { "/instance/id", "/project/project-id/x", "/instance/service-accounts/other/email", "/x" })
        EXPECT_EQ(ask(path).status, 404) << path;
}

TEST(GoogleMetadata, is_json_where_it_is_asked_for_and_always_of_googles_flavor)
{
    auto const account = ask("/instance/service-accounts/default", true);
    EXPECT_EQ(account.headers.get("content-type"), "application/json");
    EXPECT_EQ(account.headers.get("metadata-flavor"), "Google");
    EXPECT_EQ(account.body, R"({"aliases":["default"],"email":"a-1@acme.iam.gserviceaccount.com","scopes":["https://www.googleapis.com/auth/cloud-platform"]})");
    EXPECT_EQ(ask("/project/project-id", false, "json").body, "\"acme\"");
    auto const everything = parse_json_object(ask("", true).body).value();
    EXPECT_EQ(everything.at("project").at("projectId").as_string(), "acme");
    EXPECT_TRUE(everything.at("instance").at("serviceAccounts").as_object().contains("a-1@acme.iam.gserviceaccount.com"));
    EXPECT_EQ(everything.at("universe").at("universeDomain").as_string(), "googleapis.com");
    EXPECT_EQ(to_text(JsonValue(everything)).find("secret"), std::string::npos);
    EXPECT_EQ(ask("/nothing").headers.get("metadata-flavor"), "Google");
    EXPECT_TRUE(google_metadata({}).is_error());
}

TEST(GoogleMetadata, knows_its_paths)
{
    for (auto const* path : { "/", "/computeMetadata", "/computeMetadata/v1", "/computeMetadata/v1/", "/computeMetadata/v1/instance/service-accounts/default/token" })
        EXPECT_TRUE(is_google_path(path)) << path;
    for (auto const* path : { "/computeMetadataX", "/latest/", "/aws/", "" })
        EXPECT_FALSE(is_google_path(path)) << path;
}

TEST(GoogleExchange, is_shown_a_handle_in_a_form)
{
    net::Request request;
    request.method = "POST";
    request.body = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&subject_token=a";
    EXPECT_EQ(google_subject_token(request), "a");
    request.method = "GET";
    EXPECT_EQ(google_subject_token(request), "");
    request.method = "POST";
    for (auto const* bad : { "", "subject_token=a", "grant_type=password&subject_token=a", "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange", "%" }) {
        request.body = bad;
        EXPECT_EQ(google_subject_token(request), "") << bad;
    }
}

TEST(AzureEndpoint, knows_its_shapes_and_what_each_shows)
{
    EXPECT_EQ(azure_shape_of("/azure/app-service/token"), AzureShape::app_service);
    EXPECT_EQ(azure_shape_of("/azure/machine-learning/token"), AzureShape::machine_learning);
    EXPECT_EQ(azure_shape_of("/metadata/identity/oauth2/token"), AzureShape::imds);
    EXPECT_FALSE(azure_shape_of("/azure/app-service/token/") || azure_shape_of("/metadata/identity"));
    net::Request request;
    request.headers = { { "X-IDENTITY-HEADER", "a" }, { "secret", "b" } };
    EXPECT_EQ(azure_handle(AzureShape::app_service, request), "a");
    EXPECT_EQ(azure_handle(AzureShape::machine_learning, request), "b");
    EXPECT_EQ(azure_handle(AzureShape::app_service, net::Request()), "");
    EXPECT_FALSE(azure_handle(AzureShape::imds, request));
}

TEST(AzureEndpoint, takes_a_resource_however_it_is_written)
{
    for (auto const* text : { "https://storage.azure.com", "https://storage.azure.com/", "https://storage.azure.com/.default", "https://storage.azure.com//.default" })
        EXPECT_EQ(azure_resource(text), "https://storage.azure.com");
    EXPECT_EQ(azure_resource("/"), "");
}

TEST(ClientEnvironment, tells_of_the_clouds_that_the_run_has_sessions_at_and_of_no_other)
{
    SecretText const handle("handle");
    auto const google = client_environment(run_with({ { "store", "gcp_sts" } }), 8471, handle);
    EXPECT_EQ(google.at("GCE_METADATA_HOST"), "127.0.0.1:8471");
    EXPECT_FALSE(google.contains("IDENTITY_ENDPOINT") || google.contains("AWS_CONTAINER_CREDENTIALS_FULL_URI"));
    auto const both = client_environment(run_with({ { "store", "azure_entra" }, { "bucket", "aws_sts" } }), 8471, handle);
    EXPECT_EQ(both.at("IDENTITY_ENDPOINT"), "http://127.0.0.1:8471/azure/app-service/token");
    EXPECT_EQ(both.at("AWS_CONTAINER_CREDENTIALS_FULL_URI"), "http://127.0.0.1:8471/aws/v1/credentials/bucket");
    EXPECT_FALSE(both.contains("GCE_METADATA_HOST"));
    EXPECT_TRUE(client_environment(run_with({}), 8471, handle).empty());
}

TEST(ClientEnvironment, tells_databricks_clients_of_the_metadata_service_that_the_run_has)
{
    auto run = run_with({});
    run.places = { { "forge", "git", "https://git.example", "a" } };
    EXPECT_TRUE(client_environment(run, 8471, SecretText("handle")).empty());
    run.places.push_back({ "lakehouse", "databricks", "https://acme.cloud.databricks.com", "" });
    EXPECT_EQ(client_environment(run, 8471, SecretText("handle")),
        (std::map<std::string, std::string> { { "DATABRICKS_METADATA_SERVICE_URL", "http://127.0.0.1:8471/databricks/v1/token/handle" } }));
}

TEST(Sessions, of_one_cloud_are_not_found_as_anothers)
{
    auto const run = run_with({ { "store", "gcp_sts" }, { "bucket", "aws_sts" }, { "second", "gcp_sts" } });
    EXPECT_EQ(run.uses_of("").front().provider, "bucket");
    EXPECT_EQ(run.uses_of("", "gcp_sts").front().provider, "store");
    EXPECT_TRUE(run.uses_of("store").empty());
    EXPECT_EQ(run.uses_of("of-second", "gcp_sts").size(), 1U);
    EXPECT_EQ(run.providers_of("gcp_sts"), (std::vector<std::string> { "store", "second" }));
}
