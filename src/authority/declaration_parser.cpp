// SPDX-License-Identifier: Apache-2.0
#include "authority/declaration_parser.h"

#include "authority/cloud_declaration.h"
#include "authority/database_declaration.h"
#include "authority/export_declaration.h"
#include "authority/field_reader.h"
#include "authority/token_declaration.h"
#include "attest/unix/claim_names.h"
#include "issue/aws_sts/aws_sts.h"

#include <algorithm>
#include <functional>
#include <set>

namespace writ::authority {

namespace {

// LIMIT: names stand in records, URLs and file names.
constexpr std::size_t name_length_max = 200;

bool is_name(std::string_view name)
{
    constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./@:";
    return !name.empty() && name.size() <= name_length_max && name.find_first_not_of(allowed) == std::string_view::npos;
}

std::string read_name(FieldReader& fields, YamlNode const& node)
{
    fields.text("kind");
    auto name = fields.text("name");
    if (!name.empty() && !is_name(name))
        fields.problem(
            node.find("name")->position, "a name has letters, digits and -_./@: only, at most " + std::to_string(name_length_max));
    return name;
}

void read_use(YamlNode const& node, identity::Workload& workload, std::vector<Problem>& problems)
{
    FieldReader fields(node, problems);
    identity::Use use;
    use.action = fields.text("action");
    static constexpr std::pair<std::string_view, std::string_view> resource_fields[]
        = { { "dataset", "Dataset" }, { "model", "Model" }, { "endpoint", "Endpoint" }, { "api", "Api" }, { "database", "Database" } };
    for (auto const& [field, type] : resource_fields) {
        auto id = fields.text_or(field, "");
        if (id.empty())
            continue;
        if (!use.resource_id.empty())
            fields.problem(node.position, "a use names one resource, not several");
        use.resource_type = type;
        use.resource_id = std::move(id);
    }
    if (use.resource_id.empty())
        fields.problem(node.position, "a use names its resource: `dataset`, `model`, `endpoint`, `api` or `database`");
    fields.finish();
    workload.uses.push_back(std::move(use));
}

// SECURITY: a claim that no attestor tells, or no value at all, holds of no process; whoever mistyped it should hear so now, and not from a job that does not start.
void check_match(FieldReader& fields, YamlNode const& match)
{
    static std::set<std::string, std::less<>> const known(attest::unix_claim_names.begin(), attest::unix_claim_names.end());
    for (auto const& member : match.members) {
        auto const& values = member.node.elements;
        bool const is_empty_list = member.node.kind == YamlNode::Kind::sequence && values.empty();
        bool const has_empty_text = (member.node.kind == YamlNode::Kind::scalar && member.node.scalar.empty())
            || std::ranges::any_of(values, [](auto const& value) { return value.kind == YamlNode::Kind::scalar && value.scalar.empty(); });
        if (is_empty_list || has_empty_text)
            fields.problem(member.node.position, "claim `" + member.name + "` of `match` has " + (is_empty_list ? "no values" : "an empty value") + ": no process is that");
        if (known.contains(member.name))
            continue;
        auto message = "`match` has no claim `" + member.name + "`";
        if (auto const nearest = nearest_name(member.name, known); !nearest.empty()) {
            message += "; did you mean `" + std::string(nearest) + "`?";
        } else {
            std::string names;
            for (auto const& name : known)
                names += (names.empty() ? "`" : ", `") + name + "`";
            message += "; known: " + names;
        }
        fields.problem(member.node.position, std::move(message));
    }
}

identity::Workload read_workload(YamlNode const& node, std::vector<Problem>& problems)
{
    FieldReader fields(node, problems);
    identity::Workload workload;
    workload.name = read_name(fields, node);
    workload.id_template = fields.text("id");
    workload.pipeline = fields.text_or("pipeline", "");
    workload.team = fields.text_or("team", "");
    workload.svid_lifetime = fields.duration_or("svid_lifetime", std::chrono::hours(1));
    if (auto const* match = fields.node("match"); match != nullptr && match->kind == YamlNode::Kind::map && !match->members.empty()) {
        FieldReader entries(*match, problems);
        check_match(fields, *match);
        for (auto const& member : match->members)
            workload.match.emplace(member.name, entries.texts(member.name));
    } else {
        // SECURITY: a workload without a condition would be everybody.
        fields.problem(node.position, "field `match` must name at least one claim, such as `unix.user`");
    }
    if (auto const* uses = fields.node("uses"); uses != nullptr) {
        if (uses->kind != YamlNode::Kind::sequence)
            fields.problem(uses->position, "field `uses` must be a list");
        for (auto const& use : uses->elements)
            read_use(use, workload, problems);
    }
    fields.finish();
    if (auto const checked = identity::check_workload(workload); checked.is_error() && !workload.id_template.empty())
        problems.push_back({ node.find("id")->position, checked.error().message });
    return workload;
}

TrustProvider read_trust_provider(YamlNode const& node, std::vector<Problem>& problems)
{
    FieldReader fields(node, problems);
    TrustProvider provider;
    provider.name = read_name(fields, node);
    provider.type = fields.one_of("type", { "unix" });
    fields.finish();
    return provider;
}

Database read_database(YamlNode const& node, std::vector<Problem>& problems)
{
    FieldReader fields(node, problems);
    Database database;
    database.name = read_name(fields, node);
    database.type = fields.one_of("type", { "postgres" });
    database.host = fields.text("host");
    database.port = fields.port_or("port", database.port);
    database.database = fields.text("database");
    fields.finish();
    return database;
}

// A field that is checked as soon as it is there.
void check(FieldReader& fields, YamlNode const& node, std::string_view name, Result<> const& checked)
{
    if (checked.is_error())
        fields.problem((node.find(name) != nullptr ? node.find(name) : &node)->position, "field `" + std::string(name) + "`: " + checked.error().message);
}

// Of whatever scheme, as clients write it. SECURITY: a URL is on record, in policies and in lists; a password in it would be, too.
Result<> check_service_url(std::string_view url)
{
    auto const scheme = url.substr(0, url.find("://"));
    auto const is_of_scheme = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.'; };
    if (scheme.size() == url.size() || scheme.empty() || scheme.front() < 'a' || !std::ranges::all_of(scheme, is_of_scheme))
        return invalid_argument("a URL is `SCHEME://HOST`, with a port and a path if there are any");
    auto const rest = url.substr(scheme.size() + 3);
    auto const host = rest.substr(0, rest.find_first_of("/?#"));
    if (host.empty() || host.front() == ':')
        return invalid_argument("the URL has no host");
    if (host.find('@') != std::string_view::npos)
        return invalid_argument("the URL has a user name or a password in it");
    if (!std::ranges::all_of(url, [](char c) { return c > ' ' && c < '\x7f' && c != '\\'; }))
        return invalid_argument("the URL has characters that are written with `%`");
    return {};
}

AwsSts read_aws_sts(FieldReader& fields, YamlNode const& node)
{
    AwsSts aws;
    aws.role = fields.text("role");
    aws.region = fields.text("region");
    aws.endpoint = fields.text_or("endpoint", "https://sts." + aws.region + ".amazonaws.com");
    aws.audience = fields.text_or("audience", aws.audience);
    aws.ca_file = fields.text_or("ca_file", "");
    aws.store_endpoint = fields.text_or("store_endpoint", "");
    aws.through = fields.text_or("through", "");
    aws.session_tags = fields.flag_or("session_tags", aws.session_tags);
    if (auto const partition = issue::partition_of_role(aws.role); partition.is_error() && !aws.role.empty())
        check(fields, node, "role", partition.error());
    if (auto const partition = issue::partition_of_role(aws.through); partition.is_error() && !aws.through.empty())
        check(fields, node, "through", partition.error());
    if (!aws.region.empty())
        check(fields, node, "endpoint", issue::check_token_service(aws.endpoint));
    return aws;
}

void check_sts_lifetime(FieldReader& fields, YamlNode const& node, CredentialProvider const& provider)
{
    auto const is_chained = !provider.aws.through.empty();
    if (provider.lifetime < issue::sts_session_min || provider.lifetime > (is_chained ? issue::sts_chained_max : issue::sts_session_max))
        check(fields, node, "lifetime", invalid_argument(is_chained ? "a session out of another lives from 15m to 1h" : "a session of STS lives from 15m to 12h"));
}

// LIMIT: one that ends sooner is over before who wants it has read it.
constexpr Duration lifetime_min = std::chrono::seconds(5);

void check_lifetime(FieldReader& fields, YamlNode const& node, Duration lifetime)
{
    if (lifetime < lifetime_min)
        check(fields, node, "lifetime", invalid_argument("a credential lives 5s at the least"));
}

CredentialProvider read_credential_provider(YamlNode const& node, std::vector<Problem>& problems)
{
    FieldReader fields(node, problems);
    CredentialProvider provider;
    provider.name = read_name(fields, node);
    provider.type = fields.one_of("type",
        { "postgres_role", "aws_sts", "gcp_sts", "azure_entra", "oidc_token", "oauth2_client", "token_exchange", "sealed_secret", "ssh_certificate", "vault_kv", "anthropic", "databricks", "huggingface", "mlflow", "openai", "wandb" });
    if (is_token_type(provider.type)) {
        auto token = read_token_provider(provider.type, provider.name, fields, node);
        provider.type = std::move(token.issuer);
        provider.token = std::move(token.settings);
        provider.lifetime = fields.duration_or("lifetime", std::chrono::hours(1));
        check_lifetime(fields, node, provider.lifetime);
    } else if (provider.type == "aws_sts") {
        provider.aws = read_aws_sts(fields, node);
        provider.lifetime = fields.duration_or("lifetime", std::chrono::hours(1));
        check_sts_lifetime(fields, node, provider);
    } else if (provider.type == "gcp_sts") {
        read_gcp_sts(fields, node, provider);
    } else if (provider.type == "azure_entra") {
        read_azure_entra(fields, node, provider);
    } else {
        provider.database = fields.text("database");
        provider.user = fields.text("user");
        provider.password_file = fields.text_or("password_file", "");
        provider.owner = fields.text_or("owner", "");
        provider.lifetime = fields.duration_or("lifetime", provider.lifetime);
        check_lifetime(fields, node, provider.lifetime);
    }
    fields.finish();
    return provider;
}

// LIMIT: versions of one data set or model; each is an entity in memory.
constexpr std::size_t versions_max = 10'000;

bool is_digest(std::string_view text)
{
    constexpr std::string_view scheme = "sha256:";
    return text.starts_with(scheme) && text.size() == scheme.size() + 64
        && text.substr(scheme.size()).find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

void read_version(YamlNode const& node, Versions& versions, std::vector<Problem>& problems)
{
    FieldReader fields(node, problems);
    auto const version = fields.text("version");
    auto const digest = fields.text("digest");
    fields.finish();
    if (!version.empty() && (!is_name(version) || version.find('@') != std::string::npos))
        fields.problem(node.position, "a version has letters, digits and -_./: only, at most " + std::to_string(name_length_max));
    if (!digest.empty() && !is_digest(digest))
        fields.problem(node.position, "field `digest` is `sha256:` and 64 hexadecimal digits in small letters");
    if (!versions.digests.emplace(version, digest).second)
        fields.problem(node.position, "version `" + version + "` is given twice");
}

Versions read_versions(FieldReader& fields, YamlNode const& whole, std::vector<Problem>& problems)
{
    Versions versions;
    if (auto const* const node = fields.node("versions"); node != nullptr) {
        if (node->kind != YamlNode::Kind::sequence || node->elements.size() > versions_max)
            fields.problem(node->position, "field `versions` must be a list of at most " + std::to_string(versions_max));
        else
            for (auto const& element : node->elements)
                read_version(element, versions, problems);
    }
    auto const known = [&](std::string_view field, std::string const& version) {
        if (!versions.digests.contains(version))
            fields.problem(whole.position, "field `" + std::string(field) + "`: version `" + version + "` is not among `versions`");
    };
    for (auto const& [alias, version] : fields.text_map("aliases")) {
        known("aliases", version);
        if (versions.digests.contains(alias))
            fields.problem(whole.position, "field `aliases`: `" + alias + "` is a version itself");
        versions.aliases.emplace(alias, version);
    }
    versions.current = fields.text_or("current", "");
    if (!versions.current.empty())
        known("current", versions.current);
    return versions;
}

Dataset read_dataset(YamlNode const& node, std::vector<Problem>& problems)
{
    FieldReader fields(node, problems);
    Dataset dataset;
    dataset.name = read_name(fields, node);
    dataset.database = fields.text_or("database", "");
    dataset.relation = read_relation(fields, node, problems);
    dataset.location = fields.text_or("location", "");
    dataset.classification = fields.texts("classification");
    dataset.purpose = fields.texts("purpose");
    dataset.credential = fields.text_or("credential", "");
    dataset.versions = read_versions(fields, node, problems);
    if (dataset.database.empty() != dataset.relation.empty())
        fields.problem(node.position, "fields `database` and `table` go together (or `tables`, or `template`)");
    if (dataset.database.empty() && dataset.location.empty())
        fields.problem(node.position, "a dataset needs `database` and `table`, or a `location`");
    fields.finish();
    return dataset;
}

Model read_model(YamlNode const& node, std::vector<Problem>& problems)
{
    FieldReader fields(node, problems);
    Model model;
    model.name = read_name(fields, node);
    model.classification = fields.texts("classification");
    model.purpose = fields.texts("purpose");
    model.credential = fields.text_or("credential", "");
    model.versions = read_versions(fields, node, problems);
    fields.finish();
    return model;
}

Service read_service(YamlNode const& node, std::vector<Problem>& problems)
{
    FieldReader fields(node, problems);
    Service service;
    service.name = read_name(fields, node);
    service.url = fields.text("url");
    if (!service.url.empty())
        check(fields, node, "url", check_service_url(service.url));
    service.purpose = fields.texts("purpose");
    service.credential = fields.text_or("credential", "");
    fields.finish();
    return service;
}

AuditRedaction read_audit_redaction(YamlNode const& node, std::vector<Problem>& problems)
{
    FieldReader fields(node, problems);
    AuditRedaction redaction;
    redaction.name = read_name(fields, node);
    redaction.context = fields.texts("context");
    redaction.claims = fields.texts("claims");
    for (auto const* known : { "purpose", "run", "time" }) {
        if (std::find(redaction.context.begin(), redaction.context.end(), known) != redaction.context.end())
            fields.problem(node.position, "`" + std::string(known) + "` is a member of the record itself and is not redacted");
    }
    if (redaction.context.empty() && redaction.claims.empty())
        fields.problem(node.position, "an AuditRedaction names members of the `context`, or `claims`");
    fields.finish();
    return redaction;
}

audit::ExportSpecification read_audit_export(YamlNode const& node, std::vector<Problem>& problems)
{
    FieldReader fields(node, problems);
    auto name = read_name(fields, node);
    auto specification = read_export(fields, node, problems);
    specification.name = std::move(name);
    fields.finish();
    return specification;
}

// Reads one declaration and keeps it, if it is sound.
template <typename T> auto into(DeclaredByName<T> Declarations::*place, T (*read)(YamlNode const&, std::vector<Problem>&))
{
    return [place, read](YamlDeclaration const& declaration, Declarations& declarations, std::vector<Problem>& problems) {
        auto const problems_before = problems.size();
        auto value = read(declaration.node, problems);
        if (problems.size() == problems_before)
            (declarations.*place).insert_or_assign(declaration.key.name, Declared<T> { std::move(value), declaration.node.position });
    };
}

using KindReader = std::function<void(YamlDeclaration const&, Declarations&, std::vector<Problem>&)>;

std::map<std::string, KindReader, std::less<>> const& kind_readers()
{
    static std::map<std::string, KindReader, std::less<>> const readers {
        { "TrustProvider", into(&Declarations::trust_providers, read_trust_provider) },
        { "Workload", into(&Declarations::workloads, read_workload) },
        { "Database", into(&Declarations::databases, read_database) },
        { "CredentialProvider", into(&Declarations::credential_providers, read_credential_provider) },
        { "Dataset", into(&Declarations::datasets, read_dataset) },
        { "Model", into(&Declarations::models, read_model) },
        { "Endpoint", into(&Declarations::endpoints, read_service) },
        { "Api", into(&Declarations::apis, read_service) },
        { "AuditRedaction", into(&Declarations::audit_redactions, read_audit_redaction) },
        { "AuditExport", into(&Declarations::audit_exports, read_audit_export) },
    };
    return readers;
}

void refuse_kind(YamlDeclaration const& declaration, std::vector<Problem>& problems)
{
    std::set<std::string, std::less<>> known;
    for (auto const& entry : kind_readers())
        known.insert(entry.first);
    auto message = "unknown kind `" + declaration.key.kind.substr(0, 60) + "`";
    if (auto const nearest = nearest_name(declaration.key.kind, known); !nearest.empty())
        message += "; did you mean `" + std::string(nearest) + "`?";
    problems.push_back({ declaration.node.find("kind")->position, std::move(message) });
}

} // namespace

Declarations parse_declarations(DocumentSet const& documents, std::vector<Problem>& problems)
{
    Declarations declarations;
    for (auto const& [key, source] : documents) {
        if (key.kind == policies_kind)
            continue;
        for (auto const& declaration : split_yaml(source, problems)) {
            auto const reader = kind_readers().find(declaration.key.kind);
            if (reader == kind_readers().end())
                refuse_kind(declaration, problems);
            else
                reader->second(declaration, declarations, problems);
        }
    }
    return declarations;
}

} // namespace writ::authority
