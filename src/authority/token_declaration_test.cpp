// SPDX-License-Identifier: Apache-2.0
#include "authority/credential_source.h"

#include <gtest/gtest.h>

namespace writ::authority {
namespace {

std::shared_ptr<Snapshot const> compile(std::string const& provider, std::vector<Problem>& problems)
{
    auto const text = "kind: CredentialProvider\nname: team/keys\n" + provider + "---\nkind: Api\nname: models\nurl: https://api.example\ncredential: team/keys\n";
    return compile_snapshot(1, split_documents({ { "keys.yaml", text } }, problems), "acme.ai", problems);
}

CredentialSource source(std::string const& provider)
{
    static std::shared_ptr<Snapshot const> snapshot; // the source points into it
    std::vector<Problem> problems;
    snapshot = compile(provider, problems);
    EXPECT_TRUE(problems.empty()) << (problems.empty() ? "" : to_string(problems.front()));
    return snapshot ? source_of(*snapshot, { "Api", "models" }).value_or(CredentialSource()) : CredentialSource();
}

std::string problem(std::string const& provider)
{
    std::vector<Problem> problems;
    compile(provider, problems);
    return problems.empty() ? "" : problems.front().message;
}

std::string text(JsonObject const& settings, char const* name) { return std::string(string_or(settings, name, "?")); }

TEST(TokenDeclaration, of_a_token_for_any_audience)
{
    auto const found = source("type: oidc_token\naudience: https://api.example\nfile_variable: TOKEN_FILE\nscopes: { call: models.read }\n");
    ASSERT_NE(found.provider, nullptr);
    EXPECT_EQ(found.provider->type, "oidc_token");
    EXPECT_EQ(text(found.settings, "audience"), "https://api.example");
    EXPECT_EQ(text(found.settings, "file"), "team-keys.token");
    EXPECT_EQ(found.settings.at("scopes").at("call").as_string(), "models.read");
    EXPECT_EQ(text(found.resource, "name"), "models");
    EXPECT_EQ(found.provider->lifetime, std::chrono::hours(1));
}

TEST(TokenDeclaration, of_a_service_that_is_known_by_name)
{
    auto const anthropic = source("type: anthropic\nfederation_rule_id: fdrl_1\norganization_id: org-1\n");
    EXPECT_EQ(anthropic.provider->type, "oidc_token");
    EXPECT_EQ(text(anthropic.settings, "file_variable"), "ANTHROPIC_IDENTITY_TOKEN_FILE");
    EXPECT_EQ(anthropic.settings.at("environment").at("ANTHROPIC_FEDERATION_RULE_ID").as_string(), "fdrl_1");
    auto const reader = source("type: huggingface\nusername: acme\nscopes: { call: \"\" }\n");
    EXPECT_EQ(reader.provider->type, "token_exchange");
    EXPECT_EQ(text(reader.settings, "endpoint"), "https://huggingface.co/oauth/token");
    EXPECT_EQ(text(reader.settings, "body"), "json");
    EXPECT_EQ(reader.settings.at("parameters").at("resource").as_string(), "acme");
    auto const openai = source("type: openai\nidentity_provider_id: a\nservice_account_id: b\n");
    EXPECT_EQ(text(openai.settings, "variable"), ""); // its client would never see another
    EXPECT_EQ(openai.settings.at("environment").at("OPENAI_BASE_URL").as_string(), "{inject}");
    EXPECT_EQ(writ::to_text(openai.settings.at("places")), R"([{"client":"inject","url":"https://api.openai.com/v1","username":"authorization: Bearer {token}"}])");
    EXPECT_EQ(text(source("type: databricks\nhost: https://a.example\naudience: b\n").settings, "file_variable"), "DATABRICKS_OIDC_TOKEN_FILEPATH");
    auto const mlflow = source("type: mlflow\ntracking_uri: https://mlflow.example:5000/a\n");
    EXPECT_EQ(mlflow.provider->type, "oidc_token");
    EXPECT_EQ(text(mlflow.settings, "audience"), "https://mlflow.example:5000/a");
    EXPECT_EQ(text(mlflow.settings, "file_content"), "machine mlflow.example login writ password {token}\n");
    EXPECT_EQ(text(mlflow.settings, "file_variable"), "NETRC");
    EXPECT_EQ(mlflow.settings.at("environment").at("MLFLOW_TRACKING_URI").as_string(), "https://mlflow.example:5000/a");
    EXPECT_NE(problem("type: mlflow\n").find("tracking_uri"), std::string::npos);
    EXPECT_NE(problem("type: mlflow\ntracking_uri: http://mlflow.example\n").find("tracking_uri"), std::string::npos); // a secret in the clear
    EXPECT_NE(problem("type: mlflow\ntracking_uri: https://a.example\nusername: a b\n").find("username"), std::string::npos);
    EXPECT_EQ(source("type: wandb\n").settings.at("environment").at("WANDB_CREDENTIALS_FILE").as_string(), "{folder}/wandb-credentials.json");
}

TEST(TokenDeclaration, of_a_token_for_clients_that_ask_by_place)
{
    auto const found = source("type: oidc_token\naudience: a\ngit: { \"https://Git.example/team/\": oauth2 }\ndocker: { \"registry.example:5000\": writ }\nkubernetes: https://k8s.example\n");
    EXPECT_EQ(writ::to_text(found.settings.at("places")),
        R"([{"client":"git","url":"https://git.example/team","username":"oauth2"},{"client":"docker","url":"https://registry.example:5000","username":"writ"},)"
        R"({"client":"kubernetes","url":"https://k8s.example","username":""}])");
    EXPECT_EQ(text(found.settings, "file_variable"), "");
    std::string const token = "type: oidc_token\naudience: a\n";
    EXPECT_EQ(problem(token + "git: { \"http://git.example:80\": a }\n"),
        "field `git`: `http://git.example:80` is neither `https://…` nor `http://` with a loopback address and port");
    for (auto const* bad : { "git: { \"https://git.example/../a\": a }", "git: { \"https://git.example\": \"\" }", "git: { \"https://git.example\": \"a b\" }",
             "docker: { \"registry.example/team\": a }", "docker: { \"https://registry.example\": a }", "kubernetes: [ k8s.example ]" })
        EXPECT_NE(problem(token + bad + "\n"), "") << bad;
}

TEST(TokenDeclaration, of_a_metadata_service_is_of_what_the_workspace_gives)
{
    auto const found = source("type: databricks\nhost: https://acme.cloud.databricks.com\naudience: account\nclient_id: 7d1a\nmetadata_service: true\n");
    EXPECT_EQ(found.provider->type, "token_exchange");
    EXPECT_EQ(text(found.settings, "endpoint"), "https://acme.cloud.databricks.com/oidc/v1/token");
    EXPECT_EQ(found.settings.at("parameters").at("client_id").as_string(), "7d1a");
    EXPECT_EQ(found.settings.at("scopes").at("call").as_string(), "all-apis");
    EXPECT_EQ(found.settings.at("environment").at("DATABRICKS_AUTH_TYPE").as_string(), "metadata-service");
    EXPECT_EQ(writ::to_text(found.settings.at("places")), R"([{"client":"databricks","url":"https://acme.cloud.databricks.com","username":""}])");
    EXPECT_NE(problem("type: databricks\nhost: http://acme.example\naudience: account\nmetadata_service: true\n"), "");
    EXPECT_NE(problem("type: databricks\naudience: account\nmetadata_service: true\n"), "");
}

TEST(TokenDeclaration, a_hubs_token_for_a_repository_is_nothing_for_who_may_only_read)
{
    auto const writer = source("type: huggingface\nrepository: acme/model\n");
    EXPECT_TRUE(writer.settings.at("scopes").as_object().contains("write"));
    EXPECT_FALSE(writer.settings.at("scopes").as_object().contains("read") || writer.settings.at("scopes").as_object().contains("load"));
    auto const reader = source("type: huggingface\nusername: acme\n");
    EXPECT_TRUE(reader.settings.at("scopes").as_object().contains("load"));
    EXPECT_FALSE(reader.settings.at("scopes").as_object().contains("write"));
}

TEST(TokenDeclaration, says_what_is_wrong_where_it_is)
{
    std::string const token = "type: oidc_token\naudience: a\n";
    EXPECT_EQ(problem(token), "field `file_variable`: `file_variable`, `variable` or places (`git`, `docker`, `kubernetes`, `inject`) say how the job gets the token");
    EXPECT_NE(problem(token + "file_variable: LD_PRELOAD\n"), "");
    EXPECT_NE(problem(token + "file_variable: WRIT_RUN\n"), "");
    EXPECT_NE(problem(token + "file_variable: \"A=B\"\n"), "");
    EXPECT_NE(problem(token + "variable: A\nenvironment: { PATH: /tmp }\n"), "");
    EXPECT_NE(problem(token + "variable: A\nfile: ../a\n"), "");
    EXPECT_NE(problem(token + "variable: A\nscopes: { call: 'a\"b' }\n"), "");
    EXPECT_EQ(problem(token + "variable: A\nsecret: b\n"), "unknown field `secret`");
    EXPECT_NE(problem("type: sealed_secret\nvariable: A\n"), "");
    EXPECT_NE(problem("type: sealed_secret\nsecret: 'a b'\nvariable: A\n"), "");
    EXPECT_NE(problem("type: token_exchange\nendpoint: http://auth.example/token\naudience: a\nvariable: A\n"), "");
    EXPECT_NE(problem("type: token_exchange\nendpoint: https://auth.example/token\naudience: a\nvariable: A\ngrant: password\n"), "");
    EXPECT_NE(problem("type: oauth2_client\nendpoint: https://auth.example/token\nclient_id: a\nauthentication: client_secret_post\nvariable: A\n"), "");
    EXPECT_NE(problem("type: huggingface\nrepository: a/b\nusername: c\n"), "");
    EXPECT_EQ(problem("type: aws_sts\nrole: arn:aws:iam::123456789012:role/a\nregion: eu-central-1\n"),
        "CredentialProvider `team/keys` is of type `aws_sts`, which is for data sets");
}

} // namespace
} // namespace writ::authority
