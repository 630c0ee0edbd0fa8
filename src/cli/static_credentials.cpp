// SPDX-License-Identifier: Apache-2.0
#include "cli/static_credentials.h"

#include "base/secret.h"
#include "cli/docker_config.h"
#include "cli/git_settings.h"
#include "cli/output.h"
#include "cli/static_logins.h"

#include <algorithm>
#include <unistd.h>

namespace writ::cli {

namespace {

constexpr std::string_view aws = "AWS";
constexpr std::string_view postgres = "PostgreSQL";
constexpr std::string_view google = "Google Cloud";
constexpr std::string_view azure = "Azure";
constexpr std::string_view hugging_face = "Hugging Face";
constexpr std::string_view git = "Git";
constexpr std::string_view docker = "Docker";
constexpr std::string_view kubernetes = "Kubernetes";
constexpr std::string_view vault = "Vault";
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
    { hugging_face, "HF_TOKEN", true },
    { hugging_face, "HUGGING_FACE_HUB_TOKEN", true },
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
    { hugging_face, "HF_OIDC_RESOURCE", false },
    { hugging_face, "HF_HUB_DISABLE_IMPLICIT_TOKEN", false },
    { "Anthropic", "ANTHROPIC_PROFILE", false },
    { "Anthropic", "ANTHROPIC_IDENTITY_TOKEN", true },
    { docker, "DOCKER_AUTH_CONFIG", true }, // logins, which Docker takes before any helper's
    { vault, "VAULT_TOKEN", true },
};

constexpr Channel known_channels[] = {
    { aws, "container credentials endpoint of the run", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "aws_sts" },
    { google, "metadata server of the run", "GCE_METADATA_HOST", "gcp_sts" },
    { azure, "managed identity of the run", "IDENTITY_ENDPOINT", "azure_entra" },
    { azure, "federated token file of the run", "AZURE_FEDERATED_TOKEN_FILE", "oidc_token" },
    { postgres, "role and password file of the run", "PGPASSFILE", "postgres_role" },
    { hugging_face, "token file of the run", "HF_TOKEN_PATH", "huggingface" },
    { "Anthropic", "identity token file of the run", "ANTHROPIC_IDENTITY_TOKEN_FILE", "anthropic" },
    { "OpenAI", "proxy of the run, which adds the token", "OPENAI_BASE_URL", "openai" },
    { "Weights & Biases", "identity token file of the run", "WANDB_IDENTITY_TOKEN_FILE", "wandb" },
    { "Databricks", "metadata service of the run", "DATABRICKS_METADATA_SERVICE_URL", "databricks" },
    { "MLflow", "netrc file of the run", "NETRC", "mlflow" },
    { "Databricks", "token file of the run", "DATABRICKS_OIDC_TOKEN_FILEPATH", "databricks" },
    { git, "credential helper of the run", "WRIT_GIT_PLACES", "oidc_token with `git`" },
    { docker, "credential helper of the run", "WRIT_DOCKER_PLACES", "oidc_token with `docker`" },
    { kubernetes, "exec plugin of the run", "WRIT_KUBERNETES_PLACES", "oidc_token with `kubernetes`" },
};

// A file counts if it has one of the words in it, or whatever it has if there are none. `variable` names it, or the folder that `below` it is in.
struct KnownFile {
    std::string_view family, variable, below, words {};
    bool always_wins = false;
};
constexpr std::string_view of_home = "HOME";
constexpr KnownFile known_files[] = {
    { aws, "AWS_SHARED_CREDENTIALS_FILE", "", "aws_secret_access_key" },
    { aws, of_home, ".aws/credentials", "aws_secret_access_key" },
    { aws, "AWS_CONFIG_FILE", "", "aws_secret_access_key" },
    { aws, of_home, ".aws/config", "aws_secret_access_key" },
    { postgres, "PGPASSFILE", "" },
    { postgres, of_home, ".pgpass" },
    { postgres, "PGSERVICEFILE", "", "password" },
    { postgres, of_home, ".pg_service.conf", "password" },
    { google, "CLOUDSDK_CONFIG", "application_default_credentials.json" },
    { google, of_home, ".config/gcloud/application_default_credentials.json" },
    { google, "CLOUDSDK_CONFIG", "credentials.db" },
    { google, of_home, ".config/gcloud/credentials.db" },
    { azure, "AZURE_CONFIG_DIR", "msal_token_cache.json" },
    { azure, of_home, ".azure/msal_token_cache.json" },
    { azure, "AZURE_CONFIG_DIR", "service_principal_entries.json" },
    { azure, of_home, ".azure/service_principal_entries.json" },
    { hugging_face, "HF_TOKEN_PATH", "" },
    { hugging_face, "HF_HOME", "token" },
    { hugging_face, "XDG_CACHE_HOME", "huggingface/token" },
    { hugging_face, of_home, ".cache/huggingface/token" },
    { "MLflow", of_home, ".mlflow/credentials", "mlflow_tracking_password", true },
    { "Databricks", "DATABRICKS_CONFIG_FILE", "", "token client_secret password" },
    { "Databricks", of_home, ".databrickscfg", "token client_secret password" },
    { vault, of_home, ".vault-token" },
};

std::string text_of(Variables const& variables, std::string_view name)
{
    auto const found = variables.find(std::string(name));
    return found == variables.end() ? "" : found->second;
}

bool has_word(std::string_view text, std::string_view words)
{
    for (auto rest = words; !rest.empty();) {
        auto const word = rest.substr(0, rest.find(' '));
        if (text.find(word) != std::string_view::npos)
            return true;
        rest.remove_prefix(std::min(rest.size(), word.size() + 1));
    }
    return words.empty();
}

// SECURITY: nothing that is read here leaves it but the names of hosts and keys.
class Search {
public:
    Search(Variables const& variables, Path const& home)
        : variables_(variables)
        , home_(home)
    {
    }

    std::vector<StaticCredential> found() { return std::move(found_); }

    void look_at_variables()
    {
        auto const of_run = " " + text_of(variables_, run_variables_name) + " ";
        for (auto const& [family, name, is_secret] : known_variables) {
            if (is_secret && !text_of(variables_, name).empty() && of_run.find(" " + std::string(name) + " ") == std::string::npos)
                add({ .name = std::string(name), .family = std::string(family) });
        }
    }

    void look_at_files()
    {
        for (auto const& [family, variable, below, words, always_wins] : known_files) {
            auto const place = variable == of_home ? home_ : Path(text_of(variables_, variable));
            auto const file = place.empty() || below.empty() ? place : place / below;
            if (auto const bytes = read(file); !bytes.is_empty() && has_word(as_text(bytes.reveal()), words))
                add({ .name = file.string(), .family = std::string(family), .is_file = true, .always_wins = always_wins });
        }
    }

    void look_at_git(Path const& folder)
    {
        auto const settings = read_git_settings(variables_, home_, folder);
        for (auto& one : git_static_credentials(settings))
            add(std::move(one));
        for (auto const& file : git_stored_credentials(settings, variables_, home_)) {
            for (auto const& host : stored_git_hosts(as_text(read(file).reveal())))
                add({ .name = file.string(), .family = std::string(git), .is_file = true, .key = host, .host = host });
        }
        std::error_code error;
        for (auto const& socket : git_cache_sockets(variables_, home_)) {
            if (std::filesystem::is_socket(socket, error))
                add({ .name = socket.string(), .family = std::string(git), .is_file = true, .key = "credential.helper" });
        }
    }

    void look_at_netrc()
    {
        for (auto const& file : { home_.empty() ? home_ : home_ / ".netrc", Path(text_of(variables_, "NETRC")) }) {
            for (auto const& machine : netrc_machines(as_text(read(file).reveal()))) {
                bool const is_any = machine == "default", is_wandb = machine == "api.wandb.ai";
                add({ .name = file.string(), .family = is_wandb ? "Weights & Biases" : std::string(git), .is_file = true, .key = is_any ? machine : "machine " + machine,
                    .host = is_any || is_wandb ? "" : machine });
            }
        }
    }

    void look_at_registries()
    {
        for (auto const& file : docker_login_files(variables_)) {
            for (auto const& registry : inline_registries(as_text(read(file).reveal()))) {
                auto const url = parse_login_url(registry);
                add({ .name = file.string(), .family = std::string(docker), .is_file = true, .key = "auths." + registry,
                    .host = url ? url->host : registry.substr(0, registry.find('/')) });
            }
        }
    }

    void look_at_clusters()
    {
        auto const named = text_of(variables_, "KUBECONFIG");
        auto const files = named.empty() && !home_.empty() ? (home_ / ".kube/config").string() : named;
        for (auto rest = std::string_view(files); !rest.empty();) {
            auto const file = rest.substr(0, rest.find(':'));
            rest.remove_prefix(std::min(rest.size(), file.size() + 1));
            for (auto const& key : kubeconfig_secrets(as_text(read(file).reveal())))
                add({ .name = std::string(file), .family = std::string(kubernetes), .is_file = true, .always_wins = true, .key = "users." + key });
        }
    }

private:
    // Empty: nothing that counts, or of the run that this is in.
    SecretBytes read(Path const& file) const
    {
        auto const run = text_of(variables_, "WRIT_RUN");
        if (file.empty() || (!run.empty() && std::find(file.begin(), file.end(), Path(run)) != file.end()))
            return {};
        auto bytes = read_regular_file(file, file_bytes_max);
        return bytes.is_ok() ? SecretBytes(std::move(bytes).value()) : SecretBytes();
    }

    void add(StaticCredential one)
    {
        if (std::find(found_.begin(), found_.end(), one) == found_.end())
            found_.push_back(std::move(one));
    }

    Variables const& variables_;
    Path const& home_;
    std::vector<StaticCredential> found_;
};

// Variables that name a run's places: by host alone is said for whom a login is.
constexpr std::pair<std::string_view, std::string_view> places_variables[] = { { git, "WRIT_GIT_PLACES" }, { docker, "WRIT_DOCKER_PLACES" } };

std::string without_port(std::string_view host) { return std::string(host.substr(0, host.rfind(':'))); }

bool has_place(std::string_view urls, std::string const& host)
{
    while (!urls.empty()) {
        auto const url = urls.substr(0, urls.find(' '));
        urls.remove_prefix(std::min(urls.size(), url.size() + 1));
        if (auto const parts = parse_login_url(url); parts && (parts->host == host || without_port(parts->host) == host))
            return true;
    }
    return false;
}

} // namespace

std::vector<StaticCredential> find_static_credentials(Variables const& variables, Path const& home, Path const& folder)
{
    Search search(variables, home);
    search.look_at_variables();
    search.look_at_files();
    search.look_at_netrc();
    search.look_at_git(folder);
    search.look_at_registries();
    search.look_at_clusters();
    return search.found();
}

std::set<std::string> netrc_hosts(Variables const& variables, Path const& home)
{
    Search search(variables, home);
    search.look_at_netrc();
    std::set<std::string> hosts;
    for (auto const& one : search.found())
        hosts.insert(one.host.empty() ? one.key : one.host);
    return hosts;
}

Standing standing(StaticCredential const& secret, Variables const& of_run)
{
    if (!served_families(of_run).contains(secret.family))
        return Standing::stays;
    for (auto const& [family, variable] : places_variables) {
        if (secret.family == family && !secret.host.empty() && !has_place(text_of(of_run, variable), secret.host))
            return Standing::stays;
    }
    return secret.always_wins ? Standing::wins : Standing::loses;
}

std::string describe(StaticCredential const& secret) { return printable(secret.name) + (secret.key.empty() ? "" : ": " + printable(secret.key)) + " (" + secret.family + ")"; }

std::string run_variables(Variables const& of_run)
{
    std::string names;
    for (auto const& known : known_variables) {
        if (known.is_secret && of_run.contains(std::string(known.variable)))
            names += (names.empty() ? "" : " ") + std::string(known.variable);
    }
    return names;
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
