// SPDX-License-Identifier: Apache-2.0
#include "issue/ssh_certificate/ssh_certificate.h"

#include "issue/token_delivery.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>

namespace writ::issue {

namespace {

// LIMIT: how far a server's clock may be behind.
constexpr Duration clock_skew = std::chrono::minutes(1);
constexpr std::size_t principal_bytes_max = 255;

constexpr std::string_view known_extensions[]
    = { "no-touch-required", "permit-X11-forwarding", "permit-agent-forwarding", "permit-port-forwarding", "permit-pty", "permit-user-rc" };

constexpr std::string_view count_of_principals = "a certificate is for 1 to 256 principals";
static_assert(ssh_principals_max == 256);

std::set<std::string> words_in(std::string_view text)
{
    std::set<std::string> words;
    while (!text.empty()) {
        auto const word = text.substr(0, text.find(' '));
        if (!word.empty())
            words.emplace(word);
        text.remove_prefix(std::min(text.size(), word.size() + 1));
    }
    return words;
}

// Of all the actions. permission_denied: one has none.
Result<std::set<std::string>> principals_of(JsonObject const& settings, std::span<Access const> accesses)
{
    auto const& declared = *TRY(object_member(settings, "principals"));
    std::set<std::string> principals;
    for (auto const& access : accesses) {
        auto const* const text = declared.if_contains(access.action);
        if (text == nullptr || !text->is_string())
            return permission_denied("no principal is declared for action `" + access.action + "`");
        auto of_action = parse_ssh_principals(text->as_string());
        if (of_action.is_error())
            return permission_denied(of_action.error().message);
        principals.merge(std::move(of_action).value());
    }
    if (principals.size() > ssh_principals_max)
        return permission_denied(std::to_string(principals.size()) + " principals are declared for these actions together; " + std::string(count_of_principals));
    return principals;
}

std::string joined(std::set<std::string> const& words)
{
    std::string text;
    for (auto const& word : words)
        text += (text.empty() ? "" : " ") + word;
    return text;
}

struct IpAddress {
    std::array<std::uint8_t, 16> octets {};
    unsigned bits = 0; // 32 or 128
};

std::optional<IpAddress> parse_ip(std::string const& text)
{
    IpAddress address;
    if (::inet_pton(AF_INET, text.c_str(), address.octets.data()) == 1)
        address.bits = 32;
    else if (::inet_pton(AF_INET6, text.c_str(), address.octets.data()) == 1)
        address.bits = 128;
    return address.bits == 0 ? std::nullopt : std::optional(address);
}

// A prefix that the address has, with nothing but zeros behind it: OpenSSH lets nobody in by another.
bool is_prefix(IpAddress const& address, std::string_view text)
{
    unsigned length = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
    if (error != std::errc() || end != text.data() + text.size() || length > address.bits)
        return false;
    for (unsigned bit = length; bit < address.bits; ++bit) {
        if ((address.octets.at(bit / 8) >> (7 - bit % 8) & 1U) != 0)
            return false;
    }
    return true;
}

bool is_source(std::string_view source)
{
    auto const slash = source.find('/');
    auto const address = parse_ip(std::string(source.substr(0, slash)));
    return address && (slash == std::string_view::npos || is_prefix(*address, source.substr(slash + 1)));
}

class SshCertificateIssuer final : public CredentialIssuer {
public:
    SshCertificateIssuer(Clock const& clock, RandomSource& random)
        : clock_(clock)
        , random_(random)
    {
    }

    [[nodiscard]] bool is_delivered() const override { return true; }

    Result<CredentialPlan> plan(JsonObject const& provider, std::span<Access const> accesses) override
    {
        if (accesses.empty())
            return invalid_argument("a certificate is for something");
        auto const principals = joined(TRY(principals_of(provider, accesses)));
        auto target = provider;
        target["principals"] = principals;
        auto delivery = TRY(parse_token_delivery(provider));
        return CredentialPlan { "ssh_certificate", "", words_of(accesses, {}) + " as " + principals, writ::to_text(target), std::move(delivery.environment) };
    }

    net::Task<Result<Credential>> create(CredentialPlan plan, Recipient recipient) override { co_return certify(plan, recipient); }

private:
    Result<Credential> certify(CredentialPlan const& plan, Recipient const& recipient)
    {
        auto const now = clock_.now();
        if (recipient.expires <= now)
            return permission_denied("its time is over");
        if (!recipient.public_key)
            return invalid_argument("the node's agent has sent no key to certify");
        auto const target = TRY(parse_json_object(plan.target));
        auto const certificate = TRY(certificate_of(target, recipient, now));
        auto line = TRY(recipient.certify_ssh(certificate, *recipient.public_key));
        auto const delivery = TRY(parse_token_delivery(target));
        Credential credential;
        credential.id = std::to_string(certificate.serial);
        credential.expires = recipient.expires;
        credential.environment = delivery.environment;
        credential.key_file = KeyFile { delivery.file, delivery.file_variable };
        credential.files.push_back({ delivery.file + "-cert.pub", "", SecretText(line + "\n") });
        if (auto const hosts = string_or(target, "known_hosts", ""); !hosts.empty())
            credential.files.push_back({ delivery.file + "-known_hosts", "", SecretText(std::string(hosts)) });
        return credential;
    }

    Result<crypto::SshCertificate> certificate_of(JsonObject const& target, Recipient const& recipient, Timestamp now)
    {
        crypto::SshCertificate certificate;
        for (auto const byte : random_.bytes(sizeof certificate.serial))
            certificate.serial = certificate.serial << 8U | static_cast<std::uint64_t>(byte);
        certificate.key_id = recipient.workload + " " + recipient.run + " " + recipient.purpose;
        for (auto const& principal : words_in(TRY(string_member(target, "principals"))))
            certificate.principals.push_back(principal == "{workload}" ? recipient.workload : principal);
        certificate.valid_after = now - clock_skew;
        certificate.valid_before = recipient.expires;
        if (auto const command = TRY(string_member(target, "force_command")); !command.empty())
            certificate.critical_options.emplace("force-command", command);
        if (auto const sources = TRY(string_member(target, "source_address")); !sources.empty())
            certificate.critical_options.emplace("source-address", sources);
        for (auto& extension : TRY(strings_member(target, "extensions")))
            certificate.extensions.insert(std::move(extension));
        return certificate;
    }

    Clock const& clock_;
    RandomSource& random_;
};

} // namespace

Result<> check_ssh_principal(std::string_view principal)
{
    auto const is_bad = [](char c) { return c <= ' ' || c > '~' || c == ','; };
    if (principal.empty() || principal.size() > principal_bytes_max || std::any_of(principal.begin(), principal.end(), is_bad))
        return invalid_argument("a principal has printable ASCII without `,`, at most " + std::to_string(principal_bytes_max));
    if (principal.starts_with('{') && principal != "{workload}")
        return invalid_argument("`" + std::string(principal.substr(0, 60)) + "` is not `{workload}`");
    return {};
}

Result<std::set<std::string>> parse_ssh_principals(std::string_view text)
{
    auto principals = words_in(text);
    for (auto const& principal : principals)
        TRY(check_ssh_principal(principal));
    // SECURITY: a certificate of nobody would be everybody's.
    if (principals.empty() || principals.size() > ssh_principals_max)
        return invalid_argument(std::string(count_of_principals));
    return principals;
}

Result<> check_ssh_sources(std::string_view sources)
{
    for (std::string_view rest = sources;;) {
        auto const source = rest.substr(0, rest.find(','));
        if (!is_source(source))
            return invalid_argument("`" + std::string(source.substr(0, 60)) + "` is no address or prefix such as `10.0.0.0/8`");
        if (source.size() == rest.size())
            return {};
        rest.remove_prefix(source.size() + 1);
    }
}

Result<> check_ssh_extension(std::string_view extension)
{
    if (std::find(std::begin(known_extensions), std::end(known_extensions), extension) != std::end(known_extensions))
        return {};
    std::string known;
    for (auto const one : known_extensions)
        known += (known.empty() ? "`" : ", `") + std::string(one) + "`";
    return invalid_argument("`" + std::string(extension.substr(0, 60)) + "` is none of " + known);
}

std::unique_ptr<CredentialIssuer> create_ssh_certificate_issuer(Clock const& clock, RandomSource& random) { return std::make_unique<SshCertificateIssuer>(clock, random); }

} // namespace writ::issue
