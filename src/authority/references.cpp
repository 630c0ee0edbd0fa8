// SPDX-License-Identifier: Apache-2.0
#include "authority/references.h"

#include "authority/cloud_declaration.h"
#include "authority/credential_files.h"
#include "authority/credential_source.h"
#include "authority/field_reader.h"
#include "issue/aws_sts/session_policy.h"

namespace writ::authority {

namespace {

template <typename T>
void require(std::string const& name, DeclaredByName<T> const& declared, std::string_view kind, Position const& where,
    std::vector<Problem>& problems)
{
    if (declared.contains(name))
        return;
    std::set<std::string, std::less<>> known;
    for (auto const& entry : declared)
        known.insert(entry.first);
    auto message = std::string(kind) + " `" + name + "` is not declared";
    if (auto const nearest = nearest_name(name, known); !nearest.empty())
        message += "; did you mean `" + std::string(nearest) + "`?";
    problems.push_back({ where, std::move(message) });
}

void check_use(identity::Use const& use, Declarations const& declarations, Position const& where, std::vector<Problem>& problems)
{
    if (use.resource_type == "Dataset")
        require(use.resource_id, declarations.datasets, "Dataset", where, problems);
    else if (use.resource_type == "Model")
        require(use.resource_id, declarations.models, "Model", where, problems);
    else if (use.resource_type == "Endpoint")
        require(use.resource_id, declarations.endpoints, "Endpoint", where, problems);
    else if (use.resource_type == "Api")
        require(use.resource_id, declarations.apis, "Api", where, problems);
    else if (use.resource_type == "Database")
        require(use.resource_id, declarations.databases, "Database", where, problems);
}

// What a session policy could not hold to would be refused at the first use, which is late to learn of it.
void check_location(Declared<Dataset> const& dataset, std::vector<Problem>& problems)
{
    auto const resource = s3_resource_of(dataset.value.location);
    auto const checked = resource.is_ok() ? issue::parse_s3_place(*resource) : Result<issue::S3Place>(resource.error());
    if (checked.is_error())
        problems.push_back({ dataset.position, "CredentialProvider `" + dataset.value.credential + "` is for S3: " + checked.error().message });
}

void check_dataset(Declared<Dataset> const& dataset, Declarations const& declarations, std::vector<Problem>& problems)
{
    auto const& value = dataset.value;
    if (!value.database.empty())
        require(value.database, declarations.databases, "Database", dataset.position, problems);
    if (value.credential.empty())
        return;
    require(value.credential, declarations.credential_providers, "CredentialProvider", dataset.position, problems);
    auto const provider = declarations.credential_providers.find(value.credential);
    if (provider != declarations.credential_providers.end() && !provider->second.value.token.empty())
        return; // a token, wherever the data is
    if (provider != declarations.credential_providers.end() && provider->second.value.type == "aws_sts")
        return check_location(dataset, problems);
    if (provider != declarations.credential_providers.end() && is_object_store(provider->second.value.type)) {
        auto const resource = object_resource_of(provider->second.value.type, value.location);
        if (resource.is_error())
            problems.push_back({ dataset.position, "CredentialProvider `" + value.credential + "`: " + resource.error().message });
        return;
    }
    // A role is good in one database only; anywhere else it would be refused at the first use, which is late to learn of it.
    if (provider != declarations.credential_providers.end() && provider->second.value.database != value.database)
        problems.push_back({ dataset.position,
            "CredentialProvider `" + value.credential + "` is for Database `" + provider->second.value.database + "`, the dataset is in `"
                + value.database + "`" });
}

// Of what is no data: tokens and keys only.
template <typename T> void check_tokens(DeclaredByName<T> const& declared, Declarations const& declarations, std::vector<Problem>& problems)
{
    for (auto const& [name, resource] : declared) {
        auto const& credential = resource.value.credential;
        if (credential.empty())
            continue;
        require(credential, declarations.credential_providers, "CredentialProvider", resource.position, problems);
        auto const provider = declarations.credential_providers.find(credential);
        if (provider != declarations.credential_providers.end() && provider->second.value.token.empty())
            problems.push_back({ resource.position, "CredentialProvider `" + credential + "` is of type `" + provider->second.value.type + "`, which is for data sets" });
    }
}

} // namespace

void check_references(Declarations const& declarations, std::string_view trust_domain, std::vector<Problem>& problems)
{
    for (auto const& [name, dataset] : declarations.datasets)
        check_dataset(dataset, declarations, problems);
    check_tokens(declarations.models, declarations, problems);
    check_tokens(declarations.endpoints, declarations, problems);
    check_tokens(declarations.apis, declarations, problems);
    for (auto const& [name, provider] : declarations.credential_providers)
        if (provider.value.type == "postgres_role")
            require(provider.value.database, declarations.databases, "Database", provider.position, problems);
    auto const prefix = "spiffe://" + std::string(trust_domain) + "/";
    for (auto const& [name, workload] : declarations.workloads) {
        if (!workload.value.id_template.starts_with(prefix))
            problems.push_back(
                { workload.position, "the id of Workload `" + name + "` is not of this trust domain: it begins with `" + prefix + "`" });
        for (auto const& use : workload.value.uses)
            check_use(use, declarations, workload.position, problems);
    }
    check_credential_files(declarations, problems);
    if (!declarations.workloads.empty() && declarations.trust_providers.empty()) {
        problems.push_back({ declarations.workloads.begin()->second.position,
            "workloads are declared but no TrustProvider: nobody's claims would be believed" });
    }
}

} // namespace writ::authority
