// SPDX-License-Identifier: Apache-2.0
#include "cli/static_credentials.h"

#include <algorithm>
#include <unistd.h>

namespace writ::cli {

namespace {

constexpr std::string_view aws = "AWS";
constexpr std::string_view postgres = "PostgreSQL";
// LIMIT: a file of credentials that is looked into.
constexpr std::size_t file_bytes_max = 1U << 20U;

struct Known {
    std::string_view family;
    std::string_view variable;
    bool is_secret;
};

// In the order in which clients look: each beats what `writ run` sets.
constexpr Known known_variables[] = {
    { aws, "AWS_ACCESS_KEY_ID", true },
    { aws, "AWS_SECRET_ACCESS_KEY", true },
    { aws, "AWS_SESSION_TOKEN", true },
    { aws, "AWS_SECURITY_TOKEN", true },
    { aws, "AWS_CREDENTIAL_EXPIRATION", false },
    { aws, "AWS_WEB_IDENTITY_TOKEN_FILE", false },
    { aws, "AWS_ROLE_ARN", false },
    { aws, "AWS_ROLE_SESSION_NAME", false },
    { aws, "AWS_CREDENTIAL_FILE", true },
    { aws, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", false },
    { aws, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", false },
    { aws, "BOTO_CONFIG", false },
    { postgres, "PGPASSWORD", true },
    { postgres, "PGSERVICE", false },
    { postgres, "PGSERVICEFILE", false },
    { postgres, "PGHOSTADDR", false },
    { postgres, "PGREQUIREAUTH", false },
    { "Google Cloud", "GOOGLE_APPLICATION_CREDENTIALS", true },
    { "Google Cloud", "GOOGLE_API_KEY", true },
    { "Azure", "AZURE_CLIENT_SECRET", true },
    { "Azure", "AZURE_CLIENT_CERTIFICATE_PATH", true },
    { "Azure", "AZURE_PASSWORD", true },
    { "Azure", "AZURE_STORAGE_KEY", true },
    { "Azure", "AZURE_STORAGE_CONNECTION_STRING", true },
    { "Hugging Face", "HF_TOKEN", true },
    { "Hugging Face", "HUGGING_FACE_HUB_TOKEN", true },
    { "Anthropic", "ANTHROPIC_API_KEY", true },
    { "Anthropic", "ANTHROPIC_AUTH_TOKEN", true },
    { "OpenAI", "OPENAI_API_KEY", true },
    { "OpenAI", "OPENAI_ADMIN_KEY", true },
    { "OpenAI", "AZURE_OPENAI_API_KEY", true },
    { "MLflow", "MLFLOW_TRACKING_PASSWORD", true },
    { "MLflow", "MLFLOW_TRACKING_TOKEN", true },
    { "Weights & Biases", "WANDB_API_KEY", true },
    { "Databricks", "DATABRICKS_TOKEN", true },
    { "Databricks", "DATABRICKS_PASSWORD", true },
    { "Databricks", "DATABRICKS_CLIENT_SECRET", true },
    { "Databricks", "DATABRICKS_CONFIG_PROFILE", false },
    { "Hugging Face", "HF_OIDC_RESOURCE", false },
    { "Hugging Face", "HF_HUB_DISABLE_IMPLICIT_TOKEN", false },
    { "Anthropic", "ANTHROPIC_PROFILE", false },
    { "Anthropic", "ANTHROPIC_IDENTITY_TOKEN", true },
};

// A file counts if it has the words in it, or whatever it has if there are none.
struct KnownFile {
    std::string_view family, path, words;
};
constexpr KnownFile known_files[] = {
    { aws, ".aws/credentials", "aws_secret_access_key" },
    { aws, ".aws/config", "aws_secret_access_key" },
    { postgres, ".pgpass", "" },
    { "Google Cloud", ".config/gcloud/application_default_credentials.json", "" },
    { "Hugging Face", ".cache/huggingface/token", "" },
    { "MLflow", ".mlflow/credentials", "" },
    { "Databricks", ".databrickscfg", "token" },
};

void append_file(std::vector<StaticCredential>& found, std::string_view family, Path const& path, std::string_view words)
{
    auto const bytes = read_file(path, file_bytes_max);
    if (bytes.is_ok() && !bytes->empty() && as_text(*bytes).find(words) != std::string_view::npos)
        found.push_back({ path.string(), std::string(family), true });
}

} // namespace

std::vector<StaticCredential> find_static_credentials(Variables const& variables, Path const& home)
{
    std::vector<StaticCredential> found;
    for (auto const& [family, name, is_secret] : known_variables) {
        auto const variable = variables.find(std::string(name));
        if (is_secret && variable != variables.end() && !variable->second.empty())
            found.push_back({ std::string(name), std::string(family), false });
    }
    if (auto const file = variables.find("AWS_SHARED_CREDENTIALS_FILE"); file != variables.end() && !file->second.empty())
        append_file(found, aws, file->second, "aws_secret_access_key");
    if (home.empty())
        return found;
    for (auto const& [family, path, words] : known_files)
        append_file(found, family, home / path, words);
    return found;
}

std::set<std::string> served_families(Variables const& of_run)
{
    std::set<std::string> families;
    if (of_run.contains("PGPASSFILE"))
        families.emplace(postgres);
    if (of_run.contains("AWS_CONTAINER_CREDENTIALS_FULL_URI"))
        families.emplace(aws);
    for (auto const& [variable, family] : { std::pair("HF_TOKEN_PATH", "Hugging Face"), std::pair("ANTHROPIC_IDENTITY_TOKEN_FILE", "Anthropic"),
             std::pair("OPENAI_API_KEY", "OpenAI"), std::pair("WANDB_IDENTITY_TOKEN_FILE", "Weights & Biases"), std::pair("DATABRICKS_OIDC_TOKEN_FILEPATH", "Databricks") }) {
        if (of_run.contains(variable))
            families.emplace(family);
    }
    return families;
}

std::vector<std::string> shadowing_variables(std::set<std::string> const& families)
{
    std::vector<std::string> names;
    for (auto const& known : known_variables) {
        if (families.contains(std::string(known.family)))
            names.emplace_back(known.variable);
    }
    return names;
}

Variables own_environment()
{
    Variables variables;
    for (auto** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) {
        std::string_view const text(*entry);
        auto const equals = text.find('=');
        if (equals != std::string_view::npos)
            variables.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
    return variables;
}

} // namespace writ::cli
