// SPDX-License-Identifier: Apache-2.0
#include "cli/client_libraries.h"

#include <algorithm>
#include <unistd.h>

namespace writ::cli {

namespace {

// LIMIT: the first line of a script.
constexpr std::size_t script_bytes_max = 1U << 20U;

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

std::string text_of(Variables const& variables, std::string const& name)
{
    auto const found = variables.find(name);
    return found == variables.end() ? "" : found->second;
}

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

std::optional<Path> on_path(std::string_view name, Variables const& variables)
{
    if (name.find('/') != std::string_view::npos)
        return ::access(std::string(name).c_str(), X_OK) == 0 ? std::optional<Path>(name) : std::nullopt;
    auto const path = text_of(variables, "PATH");
    std::string_view rest = path;
    while (!rest.empty()) {
        auto const folder = rest.substr(0, rest.find(':'));
        rest.remove_prefix(std::min(rest.size(), folder.size() + 1));
        auto candidate = Path(folder) / name;
        if (!folder.empty() && ::access(candidate.c_str(), X_OK) == 0 && !std::filesystem::is_directory(candidate))
            return candidate;
    }
    return std::nullopt;
}

bool is_python(Path const& program) { return program.filename().string().starts_with("python"); }

// `#!/usr/bin/python3 -u` or `#!/usr/bin/env python3`
std::optional<Path> interpreter_of(Path const& script, Variables const& variables)
{
    auto const bytes = read_regular_file(script, script_bytes_max);
    auto const words = bytes.is_ok() ? interpreter_words(as_text(*bytes)) : std::vector<std::string>();
    if (words.size() > 1 && Path(words.front()).filename() == "env")
        return on_path(words[1], variables);
    return words.empty() ? std::nullopt : std::optional<Path>(words.front());
}

// `lib/python3*/NAME` of a prefix, of that version alone if it is known (`python3.11`).
void append_versions(std::vector<Path>& folders, Path const& lib, std::string const& version, std::string_view name)
{
    std::error_code error;
    std::vector<Path> found;
    for (auto const& entry : std::filesystem::directory_iterator(lib, error)) {
        auto const folder = entry.path().filename().string();
        if (folder.starts_with("python3.") && (version.empty() || folder == version) && std::filesystem::is_directory(entry.path() / name, error))
            found.push_back(entry.path() / name);
    }
    std::sort(found.begin(), found.end());
    folders.insert(folders.end(), found.begin(), found.end());
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

std::vector<std::string> interpreter_words(std::string_view script)
{
    std::vector<std::string> words;
    if (!script.starts_with("#!"))
        return words;
    auto line = script.substr(2, std::min(script.find('\n'), script.size()) - 2);
    while (!line.empty()) {
        line.remove_prefix(std::min(line.find_first_not_of(" \t\r"), line.size()));
        auto const word = line.substr(0, line.find_first_of(" \t\r"));
        line.remove_prefix(word.size());
        if (!word.empty())
            words.emplace_back(word);
    }
    return words;
}

std::optional<Path> python_of(std::vector<std::string> const& command, Variables const& variables)
{
    if (!command.empty()) {
        auto const program = on_path(command.front(), variables);
        if (program && is_python(*program))
            return program;
        auto const interpreter = program ? interpreter_of(*program, variables) : std::nullopt;
        if (interpreter && is_python(*interpreter))
            return interpreter;
    }
    return on_path("python3", variables);
}

std::vector<Path> package_folders(Path const& python, Variables const& variables)
{
    std::error_code error;
    auto const prefix = std::filesystem::absolute(python, error).parent_path().parent_path();
    std::vector<Path> folders;
    if (std::filesystem::exists(prefix / "pyvenv.cfg", error)) {
        append_versions(folders, prefix / "lib", "", "site-packages");
        return folders;
    }
    auto const resolved = std::filesystem::canonical(python, error).filename().string();
    auto const version = resolved.starts_with("python3.") ? resolved : "";
    if (auto const home = text_of(variables, "HOME"); !home.empty() && text_of(variables, "PYTHONNOUSERSITE").empty())
        append_versions(folders, Path(home) / ".local/lib", version, "site-packages");
    append_versions(folders, prefix / "local/lib", version, "dist-packages");
    append_versions(folders, prefix / "lib", version, "site-packages");
    if (std::filesystem::is_directory(prefix / "lib/python3/dist-packages", error))
        folders.push_back(prefix / "lib/python3/dist-packages");
    return folders;
}

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
