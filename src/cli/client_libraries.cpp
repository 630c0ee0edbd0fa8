// SPDX-License-Identifier: Apache-2.0
#include "cli/client_libraries.h"

#include "cli/python_environment.h"

#include <algorithm>

namespace writ::cli {

namespace {

struct KnownClient {
    std::string_view name, family;
};

constexpr KnownClient known_packages[] = { { "boto3", "AWS" }, { "aiobotocore", "AWS" }, { "s3fs", "AWS" }, { "s3torchconnector", "AWS" }, { "sagemaker", "AWS" },
    { "pyarrow", "AWS" }, { "google-auth", "Google Cloud" }, { "google-cloud-storage", "Google Cloud" }, { "google-cloud-bigquery", "Google Cloud" },
    { "google-cloud-aiplatform", "Google Cloud" }, { "gcsfs", "Google Cloud" }, { "azure-identity", "Azure" }, { "azure-storage-blob", "Azure" },
    { "azure-ai-ml", "Azure" }, { "adlfs", "Azure" }, { "psycopg", "PostgreSQL" }, { "psycopg2", "PostgreSQL" }, { "psycopg2-binary", "PostgreSQL" },
    { "asyncpg", "PostgreSQL" }, { "huggingface-hub", "Hugging Face" }, { "openai", "OpenAI" }, { "anthropic", "Anthropic" }, { "mlflow", "MLflow" },
    { "mlflow-skinny", "MLflow" }, { "wandb", "Weights & Biases" }, { "databricks-sdk", "Databricks" } };

constexpr KnownClient known_programs[] = { { "aws", "AWS" }, { "s5cmd", "AWS" }, { "gcloud", "Google Cloud" }, { "gsutil", "Google Cloud" }, { "azcopy", "Azure" },
    { "psql", "PostgreSQL" }, { "hf", "Hugging Face" }, { "databricks", "Databricks" }, { "git", "Git" }, { "docker", "Docker" }, { "skopeo", "Docker" },
    { "kubectl", "Kubernetes" } };

// `psycopg2_binary` and `psycopg2-binary` are one package (PyPA, name normalization).
std::string normalized(std::string_view name)
{
    std::string text;
    for (auto const c : name) {
        if (c == '_' || c == '.' || c == '-')
            text += text.ends_with('-') ? "" : "-";
        else
            text += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return text;
}

// `boto3` and `1.43.117` of `boto3-1.43.117.dist-info`.
std::optional<std::pair<std::string, std::string>> package_of(std::string name)
{
    for (auto const* ending : { ".dist-info", ".egg-info" }) {
        if (!name.ends_with(ending))
            continue;
        name.resize(name.size() - std::string_view(ending).size());
        auto const dash = name.find('-');
        auto version = dash == std::string::npos ? "" : name.substr(dash + 1);
        return std::pair(normalized(name.substr(0, dash)), version.substr(0, version.find("-py")));
    }
    return std::nullopt;
}

} // namespace

std::vector<FoundClient> find_packages(std::vector<Path> const& folders)
{
    std::map<std::string, std::pair<std::string, Path>> installed; // the first folder that has it counts
    std::error_code error;
    for (auto const& folder : folders) {
        std::size_t entries = 0;
        for (auto const& entry : std::filesystem::directory_iterator(folder, error)) {
            if (++entries > package_entries_max)
                break;
            if (auto package = package_of(entry.path().filename().string()))
                installed.emplace(std::move(package->first), std::pair(std::move(package->second), folder));
        }
    }
    std::vector<FoundClient> found;
    for (auto const& [name, family] : known_packages) {
        if (auto const package = installed.find(std::string(name)); package != installed.end())
            found.push_back({ std::string(name), package->second.first, std::string(family), package->second.second });
    }
    return found;
}

std::vector<FoundClient> find_programs(Variables const& variables)
{
    std::vector<FoundClient> found;
    for (auto const& [name, family] : known_programs) {
        if (auto const program = on_path(name, variables))
            found.push_back({ std::string(name), "", std::string(family), *program });
    }
    return found;
}

} // namespace writ::cli
