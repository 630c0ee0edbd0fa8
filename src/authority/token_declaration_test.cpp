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

TEST(TokenDeclaration, of_a_login_by_ssh_is_refused_where_a_server_would_refuse_it)
{
    std::string const login = "type: ssh_certificate\nfile: login\n";
    EXPECT_EQ(problem(login + "principals: { connect: \"deploy ops\", call: \"{workload}\" }\nsource_address: 10.0.0.0/8,2001:db8::/32\n"), "");
    EXPECT_EQ(problem(login + "principals: { connect: deploy, conect: root }\n"), "field `principals`: `conect` is no action; did you mean `connect`?");
    std::string many;
    for (int i = 0; i < 300; ++i)
        many += "u" + std::to_string(i) + " ";
    for (auto const& bad : { std::string("\"deploy\\nroot\""), std::string("\"\""), std::string("\" \""), "\"" + many + "\"", std::string("\"a,b\""), std::string("[a, b]") })
        EXPECT_NE(problem(login + "principals: { connect: " + bad + " }\n"), "") << bad;
    std::string const to_all = login + "principals: { connect: deploy }\n";
    for (auto const* const bad : { "source_address: 999.1.1.1", "source_address: 10.0.0.1/8", "lifetime: 1s", "force_command: \"a\\0b\"", "extensions: [permit-all]" })
        EXPECT_NE(problem(to_all + bad + "\n"), "") << bad;
    EXPECT_EQ(problem(to_all + "lifetime: 5s\n"), "");
}

TEST(TokenDeclaration, an_action_that_is_misspelt_is_no_action)
{
    EXPECT_EQ(problem("type: oidc_token\naudience: a\nvariable: A\nscopes: { cal: b }\n"), "field `scopes`: `cal` is no action; did you mean `call`?");
}

TEST(TokenDeclaration, the_host_of_a_workspace_is_an_origin)
{
    for (auto const* const service : { "", "metadata_service: true\n" }) {
        std::string const workspace = "type: databricks\naudience: a\n" + std::string(service);
        EXPECT_EQ(problem(workspace + "host: https://acme.cloud.databricks.com\n"), "");
        for (auto const* const bad : { "http://acme.cloud.databricks.com", "acme.cloud.databricks.com", "https://user@acme.example", "https://user:password@acme.example",
                 "https://acme.example/path", "https://acme.example?a", "https://acme.example#a", "https://", "ftp://acme.example" })
            EXPECT_TRUE(problem(workspace + "host: \"" + bad + "\"\n").starts_with("field `host`: ")) << bad;
    }
}

TEST(TokenDeclaration, a_file_of_a_run_is_of_one_credential)
{
    EXPECT_EQ(problem("type: oidc_token\naudience: a\nfile_variable: A\nfile: pgpass\n"), "field `file`: `pgpass` is a file that a run has for something else");
    EXPECT_NE(problem("type: oidc_token\naudience: a\nfile_variable: A\nfile: receipt-2\n"), "");
    auto const problems_of = [](std::string const& first, std::string const& second) {
        std::vector<Problem> problems;
        auto const text = "kind: TrustProvider\nname: unix\ntype: unix\n---\nkind: CredentialProvider\nname: one\n" + first + "---\nkind: CredentialProvider\nname: two\n" + second
            + "---\nkind: Api\nname: a\nurl: https://a.example\ncredential: one\n---\nkind: Api\nname: b\nurl: https://b.example\ncredential: two\n"
              "---\nkind: Workload\nname: job\nid: spiffe://acme.ai/job\nmatch: { unix.user: ml }\nuses: [{ action: call, api: a }, { action: call, api: b }]\n";
        compile_snapshot(1, split_documents({ { "keys.yaml", text } }, problems), "acme.ai", problems);
        return problems;
    };
    std::string const token = "type: oidc_token\naudience: a\nfile_variable: A\nfile: ";
    std::string const login = "type: ssh_certificate\nprincipals: { call: deploy }\nfile: ";
    EXPECT_TRUE(problems_of(token + "x\n", token + "y\n").empty());
    EXPECT_TRUE(problems_of(token + "x\n", "type: oidc_token\naudience: a\nvariable: A\nfile: x\n").empty()); // no file
    auto const shared = problems_of(token + "x\n", token + "x\n");
    ASSERT_EQ(shared.size(), 1U);
    EXPECT_EQ(shared[0].message,
        "Workload `job` uses CredentialProviders `one` and `two`, and the file `x` of its run would be both's; give one of them another `file`");
    EXPECT_EQ(to_string(shared[0]).substr(0, 10), "keys.yaml:");
    EXPECT_EQ(problems_of(login + "x\n", token + "x-cert.pub\n").size(), 1U);
    EXPECT_EQ(problems_of(login + "x\nknown_hosts: h\n", token + "x-known_hosts\n").size(), 1U);
    EXPECT_TRUE(problems_of(login + "x\n", token + "x-known_hosts\n").empty());
}

} // namespace
} // namespace writ::authority
