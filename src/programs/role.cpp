// SPDX-License-Identifier: Apache-2.0
#include "programs/role.h"

#include "cli/number_option.h"
#include "issue/aws_sts/aws_sts.h"
#include "issue/azure_entra/azure_entra.h"
#include "issue/gcp_sts/gcp_sts.h"
#include "issue/oauth2_client/oauth2_client.h"
#include "issue/oidc_token/oidc_token.h"
#include "issue/postgres_role/postgres_role.h"
#include "issue/sealed_secret/sealed_secret.h"
#include "issue/ssh_certificate/ssh_certificate.h"
#include "issue/token_exchange/token_exchange.h"
#include "issue/vault_kv/vault_kv.h"
#include "programs/witness_options.h"
#include "store/sqlite/sqlite_store.h"

#include <csignal>
#include <filesystem>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

namespace writ::programs {

void add_role_options(CLI::App& command, cli::Session& session, RoleOptions& options)
{
    command.add_option("--data", options.data, "Folder for what is kept (default: /var/lib/writ, or ~/.local/share/writ)")
        ->type_name("DIR");
    cli::add_run_dir_option(command, session);
    command.add_option("--log-level", options.log_level, "debug, info, warning, error or off")
        ->check(CLI::IsMember({ "debug", "info", "warning", "error", "off" }))
        ->capture_default_str();
    command.add_option("--log-format", options.log_format, "text or json")->check(CLI::IsMember({ "text", "json" }))->capture_default_str();
}

void add_loopback_option(CLI::App& command, std::uint16_t& port)
{
    command.add_option("--loopback-port", port, "Of the endpoint on 127.0.0.1 where clients of clouds ask (default: the last one, or any)")
        ->type_name("PORT")
        ->check(cli::number_from(0, UINT16_MAX));
}

void add_authority_options(CLI::App& command, RoleOptions& options, std::string const& listen)
{
    options.listen = listen;
    command.add_option("--trust-domain", options.trust_domain, "SPIFFE trust domain; fixed once the data folder exists")
        ->capture_default_str();
    command.add_option("--listen", options.listen, "IP address and port for HTTPS; port 0: any free one")
        ->type_name("ADDRESS")
        ->capture_default_str();
    command.add_option("--public-host", options.public_host, "Name or address under which others reach it, if not the one it listens on");
    command.add_option("--witness", options.witnesses, "A witness that cosigns the audit log's checkpoints; may be given again")
        ->type_name("URL=KEY");
    command.add_option("--witness-quorum", options.witness_quorum, "How many must cosign a checkpoint that is final (default: more than half)")
        ->type_name("N")
        ->check(cli::number_from(1));
    command.add_option("--witness-policy", options.witness_policy,
               "A file that names them with their URLs, and the quorum (C2SP tlog-policy), instead of the two options")
        ->type_name("FILE");
    command.add_option("--witness-roots", options.witness_roots, "PEM file of who vouches for witnesses' HTTPS (default: the system's)")
        ->type_name("FILE");
    command.add_option("--spool", options.spool,
        "Folder for records of policies with @outage(\"spool\") while the log cannot be written; on another disk it survives a full one (default: "
        "in the data folder)")
        ->type_name("DIR");
    command.add_option("--spool-bytes", options.spool_bytes, "The spool's bound; beyond it everything is refused")
        ->type_name("N")
        ->check(cli::number_from(std::size_t(1) << 16U, std::size_t(1) << 30U))
        ->capture_default_str();
    command.add_option("--record-rate", options.record_rate,
        "KiB of audit records a second that one workload on a node may make, with half an hour's worth at once; beyond it its requests are answered with 429 (0: "
        "no bound)")
        ->type_name("KIB")
        ->check(cli::number_from(0, std::uint64_t(1) << 20U))
        ->capture_default_str();
    command.add_flag("--accept-rollback", options.accepts_rollback,
        "Start although a witness has seen records of this log that are not on the disk; they are lost");
    command.add_option("--audit-retention", options.retention_age, "Audit records older than this are dropped, their hashes kept: 400d")
        ->type_name("AGE");
    command
        .add_option("--audit-retention-size", options.retention_size, "The oldest audit records beyond this are dropped, their hashes kept: 10GB")
        ->type_name("SIZE");
}

Result<> set_up_process(RoleOptions const& options)
{
    ::umask(0077);
    ::signal(SIGPIPE, SIG_IGN);
    // SECURITY: keys and passwords are in this memory; no core dump, and no other process of the same user looks into it.
    rlimit const none { 0, 0 };
    if (::setrlimit(RLIMIT_CORE, &none) != 0 || ::prctl(PR_SET_DUMPABLE, 0) != 0)
        return errno_error("forbid core dumps", errno);
    static constexpr std::pair<std::string_view, LogLevel> levels[] = { { "debug", LogLevel::debug }, { "info", LogLevel::info },
        { "warning", LogLevel::warning }, { "error", LogLevel::error }, { "off", LogLevel::off } };
    for (auto const& [name, level] : levels) {
        if (name == options.log_level)
            configure_log(level, options.log_format == "json" ? LogFormat::json : LogFormat::text);
    }
    return {};
}

Path default_container_storage() { return cli::default_data_folder().parent_path() / "containers/storage"; }

Path data_folder_of(RoleOptions const& options) { return options.data.empty() ? cli::default_data_folder() : Path(options.data); }

// Everybody may pass through to the agent's sockets.
Result<Path> create_run_folder(cli::Session const& session)
{
    // Jobs are told it, wherever they run.
    std::error_code error;
    auto const folder = std::filesystem::absolute(session.run_dir.empty() ? cli::own_run_folder() : Path(session.run_dir), error);
    if (error)
        return unavailable("the folder that `writ` was started in is gone: " + error.message());
    TRY(create_folder(folder, 0755));
    if (!session.is_run_folder_named())
        TRY(cli::check_run_folder(folder));
    return folder;
}

static Result<authority::RetentionLimits> retention_of(RoleOptions const& options)
{
    authority::RetentionLimits limits;
    if (!options.retention_age.empty())
        limits.age = TRY(authority::parse_retention_age(options.retention_age).in("--audit-retention"));
    if (!options.retention_size.empty())
        limits.bytes = TRY(authority::parse_retention_size(options.retention_size).in("--audit-retention-size"));
    return limits;
}

Result<std::unique_ptr<authority::Authority>> start_authority(net::EventLoop& loop, cli::Session const& session, RoleOptions const& options,
    Path const& data, Clock const& clock, RandomSource& random)
{
    TRY(create_folder(data));
    auto const run_folder = TRY(create_run_folder(session));
    auto const listen = TRY(net::parse_address(options.listen).in("--listen"));
    auto const* tcp = std::get_if<net::TcpAddress>(&listen);
    if (tcp == nullptr)
        return invalid_argument("--listen takes an IP address and a port");
    auto witnessing = TRY(witnessing_of(options));
    auto store = TRY(store::open_sqlite_store(data / "writ.db"));
    authority::IssuersByKind issuers;
    issuers.emplace("postgres_role", issue::create_postgres_role_issuer(random));
    issuers.emplace("aws_sts", issue::create_aws_sts_issuer(clock));
    issuers.emplace("oidc_token", issue::create_oidc_token_issuer());
    issuers.emplace("oauth2_client", issue::create_oauth2_client_issuer(clock));
    issuers.emplace("token_exchange", issue::create_token_exchange_issuer(clock));
    issuers.emplace("sealed_secret", issue::create_sealed_secret_issuer(clock, random));
    issuers.emplace("vault_kv", issue::create_vault_kv_issuer(clock, random));
    issuers.emplace("ssh_certificate", issue::create_ssh_certificate_issuer(clock, random));
    issuers.emplace("azure_entra", issue::create_azure_entra_issuer(clock));
    issuers.emplace("gcp_sts", issue::create_gcp_sts_issuer(clock));
    return authority::Authority::start(loop,
        { data, options.trust_domain, *tcp, options.public_host, (run_folder / "authority.sock").string(),
            std::move(witnessing), { .folder = options.spool, .bytes_max = options.spool_bytes },
            TRY(retention_of(options)), options.record_rate << 10U }, std::move(store),
        std::move(issuers), clock, random);
}

} // namespace writ::programs
