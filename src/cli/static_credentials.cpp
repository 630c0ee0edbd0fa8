// SPDX-License-Identifier: Apache-2.0
#include "cli/static_credentials.h"

#include <algorithm>
#include <unistd.h>

namespace writ::cli {

namespace {

constexpr std::string_view aws = "AWS";
constexpr std::string_view postgres = "PostgreSQL";
constexpr std::string_view google = "Google Cloud";
constexpr std::string_view azure = "Azure";
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
    { google, "GOOGLE_APPLICATION_CREDENTIALS", true },
    { google, "google_application_credentials", false }, // of Node's clients; `writ run` may set it itself
    { google, "GOOGLE_OAUTH_ACCESS_TOKEN", true },
    { google, "GOOGLE_GHA_CREDS_PATH", true },
    { google, "CLOUDSDK_AUTH_ACCESS_TOKEN", true },
    { google, "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE", true },
    { google, "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE", true },
    { google, "GOOGLE_API_CERTIFICATE_CONFIG", false },
    { google, "GOOGLE_API_USE_CLIENT_CERTIFICATE", false },
    { google, "NO_GCE_CHECK", false },
    { google, "STORAGE_EMULATOR_HOST", false }, // clients are anonymous there
    { "Google AI", "GOOGLE_API_KEY", true },
    { azure, "AZURE_CLIENT_SECRET", true },
    { azure, "AZURE_CLIENT_CERTIFICATE_PATH", true },
    { azure, "AZURE_CLIENT_CERTIFICATE_PASSWORD", true },
    { azure, "AZURE_PASSWORD", true },
    { azure, "AZURE_USERNAME", false },
    { azure, "AZURE_CLIENT_ID", false },
    { azure, "AZURE_FEDERATED_TOKEN_FILE", false },
    { azure, "AZURE_TOKEN_CREDENTIALS", false },
    { azure, "AZURE_POD_IDENTITY_AUTHORITY_HOST", false },
    { azure, "IDENTITY_SERVER_THUMBPRINT", false },
    { azure, "IMDS_ENDPOINT", false },
    { azure, "MSI_ENDPOINT", false },
    { azure, "MSI_SECRET", true },
    { azure, "AZURE_STORAGE_KEY", true },
    { azure, "AZURE_STORAGE_ACCOUNT_KEY", true },
    { azure, "AZURE_STORAGE_CLIENT_SECRET", true },
    { azure, "AZURE_STORAGE_CONNECTION_STRING", true },
    { azure, "AZURE_STORAGE_SAS_TOKEN", true },
    { "Hugging Face", "HF_TOKEN", true },
    { "Hugging Face", "HUGGING_FACE_HUB_TOKEN", true },
    { "Anthropic", "ANTHROPIC_API_KEY", true },
    { "Anthropic", "ANTHROPIC_AUTH_TOKEN", true },
    { "OpenAI", "OPENAI_API_KEY", true },
    { "OpenAI", "OPENAI_ADMIN_KEY", true },
    { "OpenAI", "AZURE_OPENAI_API_KEY", true },
    { "MLflow", "MLFLOW_TRACKING_PASSWORD", true },
    { "MLflow", "MLFLOW_TRACKING_TOKEN", true },
    { "MLflow", "MLFLOW_TRACKING_USERNAME", false },
    { "MLflow", "MLFLOW_TRACKING_AUTH", false },
    { "MLflow", "MLFLOW_TRACKING_AWS_SIGV4", false },
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

constexpr Channel known_channels[] = {
    { aws, "container credentials endpoint of the run", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "aws_sts" },
    { google, "metadata server of the run", "GCE_METADATA_HOST", "gcp_sts" },
    { azure, "managed identity of the run", "IDENTITY_ENDPOINT", "azure_entra" },
    { azure, "federated token file of the run", "AZURE_FEDERATED_TOKEN_FILE", "oidc_token" },
    { postgres, "role and password file of the run", "PGPASSFILE", "postgres_role" },
    { "Hugging Face", "token file of the run", "HF_TOKEN_PATH", "huggingface" },
    { "Anthropic", "identity token file of the run", "ANTHROPIC_IDENTITY_TOKEN_FILE", "anthropic" },
    { "OpenAI", "proxy of the run, which adds the token", "OPENAI_BASE_URL", "openai" },
    { "Weights & Biases", "identity token file of the run", "WANDB_IDENTITY_TOKEN_FILE", "wandb" },
    { "Databricks", "metadata service of the run", "DATABRICKS_METADATA_SERVICE_URL", "databricks" },
    { "MLflow", "netrc file of the run", "NETRC", "mlflow" },
    { "Databricks", "token file of the run", "DATABRICKS_OIDC_TOKEN_FILEPATH", "databricks" },
    { "Git", "credential helper of the run", "WRIT_GIT_PLACES", "oidc_token with `git`" },
    { "Docker", "credential helper of the run", "WRIT_DOCKER_PLACES", "oidc_token with `docker`" },
    { "Kubernetes", "exec plugin of the run", "WRIT_KUBERNETES_PLACES", "oidc_token with `kubernetes`" },
};

// A file counts if it has the words in it, or whatever it has if there are none.
struct KnownFile {
    std::string_view family, folder, name, words;
    std::string_view variable {}; // names the folder instead, if it is set
    bool always_wins = false;
};
constexpr KnownFile known_files[] = {
    { aws, ".aws", "credentials", "aws_secret_access_key" },
    { aws, ".aws", "config", "aws_secret_access_key" },
    { postgres, "", ".pgpass", "" },
    { google, ".config/gcloud", "application_default_credentials.json", "", "CLOUDSDK_CONFIG" },
    { google, ".config/gcloud", "credentials.db", "", "CLOUDSDK_CONFIG" },
    { azure, ".azure", "msal_token_cache.json", "", "AZURE_CONFIG_DIR" },
    { azure, ".azure", "service_principal_entries.json", "", "AZURE_CONFIG_DIR" },
    { "Hugging Face", ".cache/huggingface", "token", "" },
    { "MLflow", ".mlflow", "credentials", "mlflow_tracking_password", "", true },
    { "Databricks", "", ".databrickscfg", "token" },
};

void append_file(std::vector<StaticCredential>& found, std::string_view family, Path const& path, std::string_view words, bool always_wins = false)
{
    auto const bytes = read_regular_file(path, file_bytes_max);
    if (bytes.is_ok() && !bytes->empty() && as_text(*bytes).find(words) != std::string_view::npos)
        found.push_back({ path.string(), std::string(family), true, always_wins });
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
    for (auto const& [family, folder, name, words, variable, always_wins] : known_files) {
        auto const named = variable.empty() ? variables.end() : variables.find(std::string(variable));
        bool const is_elsewhere = named != variables.end() && !named->second.empty();
        if (is_elsewhere || !home.empty())
            append_file(found, family, (is_elsewhere ? Path(named->second) : home / folder) / name, words, always_wins);
    }
    return found;
}

std::span<Channel const> channels() { return known_channels; }

std::set<std::string> served_families(Variables const& of_run)
{
    std::set<std::string> families;
    for (auto const& channel : known_channels) {
        if (of_run.contains(std::string(channel.variable)))
            families.emplace(channel.family);
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
        // One without a name is nobody's, and reading it as one would name the folder of every file that has no variable.
        if (equals != std::string_view::npos && equals > 0)
            variables.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
    return variables;
}

} // namespace writ::cli
