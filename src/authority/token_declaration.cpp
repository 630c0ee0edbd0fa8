// SPDX-License-Identifier: Apache-2.0
#include "authority/token_declaration.h"

#include "authority/credential_files.h"
#include "authority/secret_keeper.h"
#include "identity/spiffe_id.h"
#include "issue/oauth_endpoint.h"
#include "issue/ssh_certificate/ssh_certificate.h"
#include "issue/token_delivery.h"
#include "issue/vault_kv/vault_kv.h"
#include "net/url_place.h"
#include "vocabulary/schema.h"

#include <algorithm>

namespace writ::authority {

namespace {

constexpr std::string_view jwt_type = "urn:ietf:params:oauth:token-type:jwt";
constexpr std::string_view id_token_type = "urn:ietf:params:oauth:token-type:id_token";

// LIMIT: variables of one provider.
constexpr std::size_t variables_max = 32;
// LIMIT: places of one provider.
constexpr std::size_t places_max = 32;
// LIMIT: a user name that a token is shown with.
constexpr std::size_t username_bytes_max = 200;

bool is_variable_name(std::string_view name)
{
    constexpr std::string_view allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
    // SECURITY: what the loader and Writ itself read is not a declaration's to set.
    return !name.empty() && name.size() <= 100 && name.find_first_not_of(allowed) == std::string_view::npos && name.front() > '9' && !name.starts_with("LD_")
        && !name.starts_with("WRIT_") && name != "PATH";
}

std::set<std::string, std::less<>> known_actions()
{
    std::set<std::string, std::less<>> names;
    for (auto const& [uid, action] : vocabulary::schema().actions())
        names.insert(uid.id);
    return names;
}

JsonObject to_object(std::map<std::string, std::string> const& values)
{
    JsonObject object;
    for (auto const& [name, value] : values)
        object.emplace(name, value);
    return object;
}

// Reads what a type has; each writes its settings.
struct Reader {
    FieldReader& fields;
    YamlNode const& node;
    JsonObject settings {};
    JsonArray declared_places {};
    std::string_view issuer {}; // where it is not the type's usual one
    bool is_injected = false;

    void refuse(std::string_view field, std::string const& message)
    {
        auto const* const at = node.find(field);
        fields.problem((at != nullptr ? at : &node)->position, "field `" + std::string(field) + "`: " + message);
    }

    void variable_name(std::string_view field, std::string const& name)
    {
        if (!name.empty() && !is_variable_name(name))
            refuse(field, "`" + name.substr(0, 60) + "` is no variable's name, or one that is not to be set");
    }

    // What is declared by action; for one that is misspelt nothing would be.
    std::map<std::string, std::string> by_action(std::string_view field)
    {
        static auto const known = known_actions();
        auto declared = fields.text_map(field);
        for (auto const& [action, text] : declared) {
            if (known.contains(action))
                continue;
            auto const nearest = nearest_name(action, known);
            refuse(field, "`" + action.substr(0, 60) + "` is no action" + (nearest.empty() ? "" : "; did you mean `" + std::string(nearest) + "`?"));
        }
        return declared;
    }

    void endpoint(std::string_view field, std::string const& url)
    {
        if (auto const parsed = issue::parse_token_endpoint(url); parsed.is_error() && !url.empty())
            refuse(field, parsed.error().message);
        settings["endpoint"] = url;
        settings["ca_file"] = fields.text_or("ca_file", "");
    }

    void revocation()
    {
        auto const url = fields.text_or("revocation_endpoint", "");
        if (auto const parsed = issue::parse_token_endpoint(url); parsed.is_error() && !url.empty())
            refuse("revocation_endpoint", parsed.error().message);
        settings["revocation_endpoint"] = url;
    }

    void scopes(std::map<std::string, std::string> const& otherwise)
    {
        auto declared = by_action("scopes");
        for (auto const& [action, text] : declared) {
            if (auto const parsed = issue::parse_scopes(text); parsed.is_error())
                refuse("scopes", parsed.error().message);
        }
        settings["scopes"] = to_object(declared.empty() ? otherwise : declared);
    }

    // Where a client that asks the agent is given the token; with the places that a preset has.
    void places()
    {
        for (auto const& [url, username] : fields.text_map("git"))
            place("git", "git", url, username);
        // Images are named by their registry alone.
        for (auto const& [registry, username] : fields.text_map("docker"))
            place("docker", "docker", "https://" + registry, username);
        for (auto const& url : fields.texts("kubernetes"))
            place("kubernetes", "kubernetes", url, "");
        injection();
        if (declared_places.size() > places_max)
            refuse("git", "at most " + std::to_string(places_max) + " places");
        settings["places"] = declared_places;
    }

    // Where the agent adds the token to what the job sends, by an address of the agent's. One for each provider, since the job is told one address.
    void injection()
    {
        auto const url = fields.text_or("inject", string_or(settings, "inject", ""));
        auto const header = fields.text_or("inject_header", "authorization: Bearer {token}");
        settings.erase("inject");
        is_injected = !url.empty();
        if (!is_injected)
            return;
        auto const parsed = net::parse_url_place(url);
        if (parsed.is_error())
            return refuse("inject", parsed.error().message);
        if (auto const checked = issue::check_token_field(header); checked.is_error())
            return refuse("inject_header", checked.error().message);
        declared_places.push_back(JsonObject { { "client", "inject" }, { "url", net::to_string(*parsed) }, { "username", header } });
    }

    void place(std::string_view field, std::string_view client, std::string_view url, std::string_view username)
    {
        auto const parsed = net::parse_url_place(url);
        if (parsed.is_error())
            return refuse(field, parsed.error().message);
        if (client == "docker" && !parsed->path.empty())
            return refuse(field, "a registry is `host[:port]`");
        if (client == "git" && username.empty())
            return refuse(field, "`" + std::string(url) + ": NAME` says with which user name the token is shown");
        bool const is_plain = std::all_of(username.begin(), username.end(), [](char c) { return c > ' ' && c <= '~'; });
        if (username.size() > username_bytes_max || !is_plain)
            return refuse(field, "a user name has printable ASCII and no blanks");
        declared_places.push_back(JsonObject { { "client", client }, { "url", net::to_string(*parsed) }, { "username", username } });
    }

    // What a preset has filled in is the default.
    void delivery(std::string const& provider, std::map<std::string, std::string> environment = {})
    {
        std::string file = string_or(settings, "file", "").empty() ? provider + ".token" : std::string(string_or(settings, "file", ""));
        std::replace_if(file.begin(), file.end(), [](char c) { return c == '/' || c == ':' || c == '@'; }, '-');
        file = fields.text_or("file", file);
        if (!identity::is_path_segment(file))
            refuse("file", "`" + file.substr(0, 60) + "` is no file name");
        else if (auto const checked = check_credential_file(file); checked.is_error())
            refuse("file", checked.error().message);
        auto const file_variable = fields.text_or("file_variable", string_or(settings, "file_variable", ""));
        auto const variable = fields.text_or("variable", string_or(settings, "variable", ""));
        variable_name("file_variable", file_variable);
        variable_name("variable", variable);
        file_content();
        places();
        if (file_variable.empty() && variable.empty() && declared_places.empty() && !is_injected)
            refuse("file_variable", "`file_variable`, `variable` or places (`git`, `docker`, `kubernetes`, `inject`) say how the job gets the token");
        for (auto& [name, value] : fields.text_map("environment"))
            environment.insert_or_assign(name, value);
        for (auto const& [name, value] : environment) {
            variable_name("environment", name);
            if (!is_injected && (value.find("{inject}") != std::string::npos || value.find("{handle}") != std::string::npos))
                refuse("environment", "`{inject}` and `{handle}` are for a token that is injected (`inject`)");
        }
        if (environment.size() > variables_max)
            refuse("environment", "at most " + std::to_string(variables_max) + " variables");
        settings["file"] = file;
        settings["file_variable"] = file_variable;
        settings["variable"] = variable;
        settings["environment"] = to_object(environment);
    }

    void file_content()
    {
        auto const content = fields.text_or("file_content", string_or(settings, "file_content", ""));
        if (auto const checked = issue::check_file_content(content); checked.is_error() && !content.empty())
            refuse("file_content", checked.error().message);
        settings["file_content"] = content;
    }

    void secret()
    {
        auto const name = fields.text("secret");
        if (auto const checked = SecretKeeper::check(name, SecretText("x")); checked.is_error() && !name.empty())
            refuse("secret", checked.error().message);
        settings["secret"] = name;
    }

    // A field that a client is told in a variable.
    void tell(std::map<std::string, std::string>& environment, std::string_view field, std::string const& variable, bool is_required)
    {
        auto const value = is_required ? fields.text(field) : fields.text_or(field, "");
        if (!value.empty())
            environment.emplace(variable, value);
    }
};

// All actions of these with no scope.
std::map<std::string, std::string> without_scope(std::initializer_list<char const*> actions)
{
    std::map<std::string, std::string> scopes;
    for (auto const* action : actions)
        scopes.emplace(action, "");
    return scopes;
}

// Using an API or a served model is one thing to who has no scopes; data is not, and says which scope reads it.
std::map<std::string, std::string> no_scopes() { return without_scope({ "call", "connect", "infer" }); }

void read_oidc_token(Reader& reader, std::string const& name)
{
    reader.settings["audience"] = reader.fields.text("audience");
    reader.scopes(no_scopes());
    reader.delivery(name);
}

void read_oauth2_client(Reader& reader, std::string const& name)
{
    reader.endpoint("endpoint", reader.fields.text("endpoint"));
    reader.revocation();
    reader.settings["client_id"] = reader.fields.text("client_id");
    auto const authentication = reader.fields.one_of("authentication", { "private_key_jwt", "client_secret_basic", "client_secret_post" });
    reader.settings["authentication"] = authentication;
    if (authentication != "private_key_jwt")
        reader.secret();
    reader.settings["parameters"] = to_object(reader.fields.text_map("parameters"));
    reader.scopes(no_scopes());
    reader.delivery(name);
}

void exchange_defaults(Reader& reader, std::string_view subject_token_type, std::string_view body)
{
    reader.settings["grant"] = "token-exchange";
    reader.settings["subject_token_type"] = subject_token_type;
    reader.settings["body"] = body;
    reader.settings["parameters"] = JsonObject();
    reader.settings["headers"] = JsonObject();
}

void read_token_exchange(Reader& reader, std::string const& name)
{
    auto& fields = reader.fields;
    exchange_defaults(reader, jwt_type, "form");
    reader.endpoint("endpoint", fields.text("endpoint"));
    reader.revocation();
    reader.settings["audience"] = fields.text("audience");
    if (auto const grant = fields.text_or("grant", "token-exchange"); grant == "token-exchange" || grant == "jwt-bearer")
        reader.settings["grant"] = grant;
    else
        reader.refuse("grant", "known: `token-exchange`, `jwt-bearer`");
    if (auto const body = fields.text_or("body", "form"); body == "form" || body == "json")
        reader.settings["body"] = body;
    else
        reader.refuse("body", "known: `form`, `json`");
    reader.settings["subject_token_type"] = fields.text_or("subject_token_type", jwt_type);
    reader.settings["parameters"] = to_object(fields.text_map("parameters"));
    reader.settings["headers"] = to_object(fields.text_map("headers"));
    reader.scopes(no_scopes());
    reader.delivery(name);
}

void read_sealed_secret(Reader& reader, std::string const& name)
{
    reader.secret();
    reader.scopes(no_scopes());
    reader.delivery(name);
}

// Principals by action; what a certificate's holder may besides is nothing, if it is not said.
void read_ssh_certificate(Reader& reader, std::string const& name)
{
    auto& fields = reader.fields;
    auto const principals = reader.by_action("principals");
    if (principals.empty())
        reader.refuse("principals", "says as whom an action logs in: `{ connect: deploy }`");
    for (auto const& [action, words] : principals) {
        if (auto const parsed = issue::parse_ssh_principals(words); parsed.is_error())
            reader.refuse("principals", "`" + action.substr(0, 60) + "`: " + parsed.error().message);
    }
    auto const sources = fields.text_or("source_address", "");
    if (auto const checked = issue::check_ssh_sources(sources); checked.is_error() && !sources.empty())
        reader.refuse("source_address", checked.error().message);
    JsonArray extensions;
    for (auto const& extension : fields.texts("extensions")) {
        if (auto const checked = issue::check_ssh_extension(extension); checked.is_error())
            reader.refuse("extensions", checked.error().message);
        extensions.emplace_back(extension);
    }
    reader.settings["principals"] = to_object(principals);
    auto const command = fields.text_or("force_command", "");
    if (command.find('\0') != std::string::npos)
        reader.refuse("force_command", "a command has no NUL");
    reader.settings["force_command"] = command;
    reader.settings["source_address"] = sources;
    reader.settings["extensions"] = std::move(extensions);
    reader.settings["file"] = name;
    reader.settings["file_variable"] = "SSH_KEY_FILE";
    reader.delivery(name);
    if (!string_or(reader.settings, "variable", "").empty())
        reader.refuse("variable", "a key comes as a file");
    // What asks for no file of its own: git, rsync.
    auto const file = "{folder}/" + std::string(string_or(reader.settings, "file", ""));
    auto const hosts = fields.text_or("known_hosts", "");
    reader.settings["known_hosts"] = hosts;
    auto const ssh = "ssh -i " + file + " -o IdentitiesOnly=yes" + (hosts.empty() ? "" : " -o UserKnownHostsFile=" + file + "-known_hosts");
    auto& environment = reader.settings.at("environment").as_object();
    for (auto const* const variable : { "GIT_SSH_COMMAND", "RSYNC_RSH" })
        environment.emplace(variable, ssh);
}

void read_vault_kv(Reader& reader, std::string const& name)
{
    auto& fields = reader.fields;
    auto const address = fields.text("address");
    if (auto const checked = issue::check_token_service(address); checked.is_error() && !address.empty())
        reader.refuse("address", checked.error().message);
    reader.settings["address"] = address;
    reader.settings["ca_file"] = fields.text_or("ca_file", "");
    auto const take = [&reader](std::string const& field, std::string const& value, Result<> (*check)(std::string_view)) {
        if (auto const checked = check(value); checked.is_error() && !value.empty())
            reader.refuse(field, checked.error().message);
        reader.settings[field] = value;
    };
    take("namespace", fields.text_or("namespace", ""), issue::check_vault_path);
    take("auth", fields.text_or("auth", "jwt"), issue::check_vault_path);
    take("mount", fields.text_or("mount", "secret"), issue::check_vault_path);
    take("path", fields.text("path"), issue::check_vault_path);
    take("role", fields.text("role"), issue::check_vault_word);
    take("audience", fields.text_or("audience", address), issue::check_vault_word);
    take("field", fields.text_or("field", ""), issue::check_vault_word);
    reader.scopes(no_scopes());
    reader.delivery(name);
}

void read_anthropic(Reader& reader, std::string const& name)
{
    std::map<std::string, std::string> environment;
    reader.settings["audience"] = reader.fields.text_or("audience", "https://api.anthropic.com");
    reader.tell(environment, "federation_rule_id", "ANTHROPIC_FEDERATION_RULE_ID", true);
    reader.tell(environment, "organization_id", "ANTHROPIC_ORGANIZATION_ID", true);
    reader.tell(environment, "service_account_id", "ANTHROPIC_SERVICE_ACCOUNT_ID", false);
    reader.tell(environment, "workspace_id", "ANTHROPIC_WORKSPACE_ID", false);
    reader.tell(environment, "base_url", "ANTHROPIC_BASE_URL", false);
    reader.settings["file_variable"] = "ANTHROPIC_IDENTITY_TOKEN_FILE";
    reader.scopes(no_scopes());
    reader.delivery(name, std::move(environment));
}

void read_wandb(Reader& reader, std::string const& name)
{
    // The client writes its own tokens there, beside ours.
    std::map<std::string, std::string> environment { { "WANDB_CREDENTIALS_FILE", "{folder}/wandb-credentials.json" } };
    reader.settings["audience"] = reader.fields.text_or("audience", "https://api.wandb.ai");
    reader.tell(environment, "base_url", "WANDB_BASE_URL", false);
    reader.settings["file_variable"] = "WANDB_IDENTITY_TOKEN_FILE";
    reader.scopes(no_scopes());
    reader.delivery(name, std::move(environment));
}

// SECURITY: where a client takes the run's token: nothing in the clear, and no user in it that its log would have.
std::string workspace(Reader& reader, std::map<std::string, std::string>& environment)
{
    auto const host = reader.fields.text("host");
    if (auto const origin = net::parse_secret_origin(host); origin.is_error() && !host.empty())
        reader.refuse("host", origin.error().message);
    environment.emplace("DATABRICKS_HOST", host);
    return host;
}

// The agent is the clients' metadata service; the job has the token that the workspace gave, and nothing that others could be had for.
void read_databricks_metadata(Reader& reader, std::string const& name)
{
    std::map<std::string, std::string> environment { { "DATABRICKS_AUTH_TYPE", "metadata-service" } };
    reader.issuer = "token_exchange";
    exchange_defaults(reader, jwt_type, "form");
    reader.settings["audience"] = reader.fields.text("audience");
    auto const host = workspace(reader, environment);
    reader.endpoint("host", host + "/oidc/v1/token");
    reader.place("host", "databricks", host, "");
    if (auto const client = reader.fields.text_or("client_id", ""); !client.empty())
        reader.settings["parameters"] = JsonObject { { "client_id", client } };
    // SPEC: Databricks, OAuth token federation: the scope that a workspace gives.
    reader.scopes({ { "call", "all-apis" }, { "connect", "all-apis" }, { "infer", "all-apis" } });
    reader.delivery(name, std::move(environment));
}

// Its client has a variable for a token, which cannot be renewed, and asks .netrc for each request where it has nothing else: as a password, the token can.
void read_mlflow(Reader& reader, std::string const& name)
{
    std::map<std::string, std::string> environment;
    reader.tell(environment, "tracking_uri", "MLFLOW_TRACKING_URI", true);
    auto const uri = environment.contains("MLFLOW_TRACKING_URI") ? environment.at("MLFLOW_TRACKING_URI") : "";
    auto const place = net::parse_url_place(uri);
    if (place.is_error() && !uri.empty())
        reader.refuse("tracking_uri", place.error().message);
    auto const host = place.is_ok() ? place->origin.address.host : "";
    auto const username = reader.fields.text_or("username", "writ");
    if (!identity::is_path_segment(username)) // no blanks: it is a word of .netrc
        reader.refuse("username", "`" + username.substr(0, 60) + "` is no word of letters, digits, `-`, `_` and `.`");
    reader.settings["audience"] = reader.fields.text_or("audience", uri);
    reader.settings["file_variable"] = "NETRC";
    reader.settings["file_content"] = "machine " + host + " login " + username + " password {token}\n";
    reader.scopes(without_scope({ "call", "connect", "infer", "read", "write" }));
    reader.delivery(name, std::move(environment));
}

void read_databricks(Reader& reader, std::string const& name)
{
    if (reader.fields.flag_or("metadata_service", false))
        return read_databricks_metadata(reader, name);
    std::map<std::string, std::string> environment { { "DATABRICKS_AUTH_TYPE", "file-oidc" } };
    reader.settings["audience"] = reader.fields.text("audience");
    workspace(reader, environment);
    reader.tell(environment, "client_id", "DATABRICKS_CLIENT_ID", false);
    reader.settings["file_variable"] = "DATABRICKS_OIDC_TOKEN_FILEPATH";
    reader.scopes(no_scopes());
    reader.delivery(name, std::move(environment));
}

void read_huggingface(Reader& reader, std::string const& name)
{
    auto const base = reader.fields.text_or("base_url", "https://huggingface.co");
    exchange_defaults(reader, id_token_type, "json");
    reader.endpoint("base_url", base + "/oauth/token");
    reader.settings["audience"] = reader.fields.text_or("audience", base);
    auto const repository = reader.fields.text_or("repository", "");
    auto const reader_name = reader.fields.text_or("username", "");
    if (repository.empty() == reader_name.empty())
        reader.refuse("repository", "either `repository` (a token that writes it) or `username` (one that reads what is gated for that user)");
    reader.settings["parameters"] = JsonObject { { "resource", repository + reader_name } };
    reader.settings["file_variable"] = "HF_TOKEN_PATH";
    // SECURITY: the hub's tokens for a repository write to it: who may only read gets none of them.
    reader.scopes(repository.empty() ? without_scope({ "read", "train", "evaluate", "load" }) : without_scope({ "write", "promote", "deploy" }));
    std::map<std::string, std::string> environment;
    if (base != "https://huggingface.co")
        environment.emplace("HF_ENDPOINT", base);
    reader.delivery(name, std::move(environment));
}

void read_openai(Reader& reader, std::string const& name)
{
    exchange_defaults(reader, jwt_type, "json");
    reader.endpoint("endpoint", reader.fields.text_or("endpoint", "https://auth.openai.com/oauth/token"));
    reader.settings["audience"] = reader.fields.text_or("audience", "https://api.openai.com/v1");
    auto const provider = reader.fields.text("identity_provider_id");
    auto const account = reader.fields.text("service_account_id");
    reader.settings["parameters"] = JsonObject { { "identity_provider_id", provider }, { "service_account_id", account } };
    // The client takes a key from its environment once, when it starts: so it is given none that ends.
    reader.settings["inject"] = reader.fields.text_or("base_url", "https://api.openai.com/v1");
    reader.scopes(no_scopes());
    reader.delivery(name, { { "OPENAI_BASE_URL", "{inject}" }, { "OPENAI_API_KEY", "{handle}" } });
}

struct Type {
    std::string_view name, issuer;
    void (*read)(Reader&, std::string const&);
};

constexpr Type types[] = {
    { "oidc_token", "oidc_token", read_oidc_token },
    { "oauth2_client", "oauth2_client", read_oauth2_client },
    { "token_exchange", "token_exchange", read_token_exchange },
    { "sealed_secret", "sealed_secret", read_sealed_secret },
    { "ssh_certificate", "ssh_certificate", read_ssh_certificate },
    { "vault_kv", "vault_kv", read_vault_kv },
    { "anthropic", "oidc_token", read_anthropic },
    { "databricks", "oidc_token", read_databricks },
    { "huggingface", "token_exchange", read_huggingface },
    { "mlflow", "oidc_token", read_mlflow },
    { "openai", "token_exchange", read_openai },
    { "wandb", "oidc_token", read_wandb },
};

} // namespace

bool is_token_type(std::string_view type)
{
    return std::any_of(std::begin(types), std::end(types), [type](auto const& known) { return known.name == type; });
}

TokenProvider read_token_provider(std::string const& type, std::string const& name, FieldReader& fields, YamlNode const& node)
{
    auto const known = std::find_if(std::begin(types), std::end(types), [&type](auto const& one) { return one.name == type; });
    ASSERT(known != std::end(types));
    Reader reader { fields, node };
    known->read(reader, name);
    return { std::string(reader.issuer.empty() ? known->issuer : reader.issuer), std::move(reader.settings) };
}

} // namespace writ::authority
