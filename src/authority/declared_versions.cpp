// SPDX-License-Identifier: Apache-2.0
#include "authority/declared_versions.h"

#include <algorithm>

namespace writ::authority {

namespace {

using cedar::EntityUid;
using cedar::Value;

template <typename T> Versions const* find_versions(DeclaredByName<T> const& declared, std::string_view name)
{
    auto const found = declared.find(name);
    return found == declared.end() ? nullptr : &found->second.value.versions;
}

// Of the data set or model; nullptr: another type, or not declared.
Versions const* versions_of(Snapshot const& snapshot, std::string_view type, std::string_view name)
{
    if (type == "Dataset" || type == "DatasetVersion")
        return find_versions(snapshot.declarations.datasets, name);
    return type == "Model" || type == "ModelVersion" ? find_versions(snapshot.declarations.models, name) : nullptr;
}

// `fraud@latest` at its last `@`; without one, the whole is the name.
std::pair<std::string_view, std::string_view> split(std::string_view id)
{
    auto const at = id.rfind('@');
    return at == std::string_view::npos ? std::pair(id, std::string_view()) : std::pair(id.substr(0, at), id.substr(at + 1));
}

std::string const* aliased(Snapshot const& snapshot, EntityUid const& uid)
{
    if (!uid.type.ends_with("Version"))
        return nullptr;
    auto const [name, version] = split(uid.id);
    auto const* const versions = versions_of(snapshot, uid.type, name);
    if (versions == nullptr)
        return nullptr;
    auto const found = versions->aliases.find(version);
    return found == versions->aliases.end() ? nullptr : &found->second;
}

template <typename T> void add_versions_of(cedar::EntityStore& entities, std::string const& type, DeclaredByName<T> const& declared, cedar::Record const& further)
{
    for (auto const& [name, one] : declared)
        for (auto const& [version, digest] : one.value.versions.digests) {
            cedar::Record attributes { { "name", Value(name) }, { "version", Value(version) }, { "digest", Value(digest) },
                { "classification", Value::set_of(one.value.classification) }, { "purpose", Value::set_of(one.value.purpose) } };
            attributes.insert(further.begin(), further.end());
            entities.add({ EntityUid { type + "Version", name + "@" + version }, std::move(attributes), {}, { EntityUid { type, name } } });
        }
}

} // namespace

EntityUid resolved(Snapshot const& snapshot, EntityUid uid)
{
    resolve(snapshot, uid);
    return uid;
}

std::string resolve(Snapshot const& snapshot, EntityUid& uid)
{
    auto const* const version = aliased(snapshot, uid);
    if (version == nullptr)
        return {};
    std::string alias(split(uid.id).second);
    uid.id.replace(uid.id.size() - alias.size(), std::string::npos, *version);
    return alias;
}

audit::RecordedEntity described(Snapshot const& snapshot, EntityUid const& uid)
{
    auto const meant = resolved(snapshot, uid);
    auto recorded = audit::recorded_entity(meant.type, meant.id);
    if (meant.id != uid.id)
        recorded.alias = split(uid.id).second;
    bool const is_version = meant.type.ends_with("Version");
    auto const* const versions = versions_of(snapshot, meant.type, is_version ? split(meant.id).first : std::string_view(meant.id));
    if (versions == nullptr)
        return recorded;
    if (!is_version)
        recorded.version = versions->current;
    if (auto const found = versions->digests.find(recorded.version); found != versions->digests.end())
        recorded.digest = found->second;
    return recorded;
}

bool have_versions(Declarations const& declarations)
{
    auto const has_any = [](auto const& entry) { return !entry.second.value.versions.digests.empty() || !entry.second.value.versions.current.empty(); };
    return std::ranges::any_of(declarations.datasets, has_any) || std::ranges::any_of(declarations.models, has_any);
}

void add_versions(cedar::EntityStore& entities, Declarations const& declarations)
{
    add_versions_of(entities, "Dataset", declarations.datasets, {});
    // Nobody has verified a manifest: what is declared of a version is no signature.
    add_versions_of(entities, "Model", declarations.models, { { "signed", Value(false) } });
}

} // namespace writ::authority
