// SPDX-License-Identifier: Apache-2.0
#include "authority/credential_files.h"

#include <algorithm>

namespace writ::authority {

namespace {

// What the agent, `writ run` and the issuers of roles put there.
constexpr std::string_view taken[] = { "aws-config", "azure", "bin", "containers-auth.json", "docker", "gcloud", "gitconfig", "google-account.json", "handle", "pg_service.conf",
    "pgpass", "receipt" };

std::vector<std::string> files_of(CredentialProvider const& provider)
{
    auto const file = std::string(string_or(provider.token, "file", ""));
    if (provider.type != "ssh_certificate")
        return string_or(provider.token, "file_variable", "").empty() ? std::vector<std::string>() : std::vector { file };
    std::vector<std::string> files { file, file + "-cert.pub" };
    if (!string_or(provider.token, "known_hosts", "").empty())
        files.push_back(file + "-known_hosts");
    return files;
}

std::string const* credential_of(Declarations const& declared, identity::Use const& use)
{
    auto const find = [&use](auto const& all) -> std::string const* {
        auto const found = all.find(use.resource_id);
        return found == all.end() ? nullptr : &found->second.value.credential;
    };
    if (use.resource_type == "Dataset")
        return find(declared.datasets);
    if (use.resource_type == "Model")
        return find(declared.models);
    if (use.resource_type == "Endpoint")
        return find(declared.endpoints);
    return use.resource_type == "Api" ? find(declared.apis) : nullptr;
}

std::set<std::string> providers_of(Declarations const& declared, identity::Workload const& workload)
{
    std::set<std::string> providers;
    for (auto const& use : workload.uses) {
        if (auto const* const credential = credential_of(declared, use); credential != nullptr && declared.credential_providers.contains(*credential))
            providers.insert(*credential);
    }
    return providers;
}

void check_workload(Declarations const& declared, Declared<identity::Workload> const& workload, std::vector<Problem>& problems)
{
    std::map<std::string, std::string> owners; // by file
    for (auto const& name : providers_of(declared, workload.value)) {
        auto const& provider = declared.credential_providers.find(name)->second;
        for (auto const& file : files_of(provider.value)) {
            auto const [owner, is_first] = owners.emplace(file, name);
            if (!is_first)
                problems.push_back({ provider.position,
                    "Workload `" + workload.value.name + "` uses CredentialProviders `" + owner->second + "` and `" + name + "`, and the file `" + file
                        + "` of its run would be both's; give one of them another `file`" });
        }
    }
}

} // namespace

Result<> check_credential_file(std::string_view name)
{
    if (std::find(std::begin(taken), std::end(taken), name) != std::end(taken) || name.starts_with("receipt-"))
        return invalid_argument("`" + std::string(name) + "` is a file that a run has for something else");
    return {};
}

void check_credential_files(Declarations const& declarations, std::vector<Problem>& problems)
{
    for (auto const& [name, workload] : declarations.workloads)
        check_workload(declarations, workload, problems);
}

} // namespace writ::authority
