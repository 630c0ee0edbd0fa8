// SPDX-License-Identifier: Apache-2.0
//
// A witness of logs as a process (C2SP tlog-witness), for somebody other than who runs the log.
#include "programs/programs.h"

#include "cli/output.h"
#include "net/http_server.h"
#include "programs/role.h"
#include "tlog/witness.h"

namespace writ::programs {

namespace {

constexpr Duration shutdown_grace = std::chrono::seconds(5);
// LIMIT: a verifier key with its name.
constexpr std::size_t key_bytes_max = 4096;

struct Options {
    RoleOptions role;
    std::string name;
    std::vector<std::string> logs;
    bool shows_key = false;
};

// Made at the first start. SECURITY: it signs as a witness only; a log's key is another one.
Result<crypto::PrivateKey> open_key(Path const& file)
{
    auto const existing = read_file(file, key_bytes_max);
    if (existing.is_ok())
        return crypto::PrivateKey::parse_pkcs8(*existing).in("`" + file.string() + "`");
    if (existing.error().code != ErrorCode::not_found)
        return existing.error();
    auto key = TRY(crypto::PrivateKey::generate(crypto::KeyType::ed25519));
    TRY(create_file(file, key.to_pkcs8().reveal(), 0600));
    return key;
}

// Its name is in every signature line, and in what others have configured: it stays what it was at first.
Result<tlog::WitnessSigner> open_signer(Path const& folder, std::string const& name)
{
    TRY(create_folder(folder));
    auto key = TRY(open_key(folder / "witness.key"));
    if (key.type() != crypto::KeyType::ed25519)
        return corruption("`" + (folder / "witness.key").string() + "` is no Ed25519 key");
    auto const file = folder / "witness.pub";
    auto const written = read_file(file, key_bytes_max);
    if (written.is_error() && written.error().code != ErrorCode::not_found)
        return written.error();
    if (written.is_error()) {
        tlog::WitnessSigner signer { .name = name.empty() ? "witness.internal" : name, .key = std::move(key) };
        auto const text = signer.verifier().to_text();
        if (tlog::WitnessVerifier::parse(text).is_error())
            return invalid_argument("--name: a witness's name has no white space and no `+`");
        TRY(create_file(file, as_bytes(text + "\n"), 0644));
        return signer;
    }
    auto const text = as_text(*written);
    auto const verifier = TRY(tlog::WitnessVerifier::parse(text.substr(0, text.find('\n'))).in("`" + file.string() + "`"));
    tlog::WitnessSigner signer { .name = verifier.name, .key = std::move(key) };
    if (signer.verifier().to_text() != verifier.to_text())
        return corruption("`" + file.string() + "` is not of the key beside it");
    if (!name.empty() && name != verifier.name)
        return conflict("--name: this witness is `" + verifier.name + "`");
    return signer;
}

struct Desk {
    tlog::Witness& witness;
    Clock const& clock;
};

net::Response to_response(tlog::WitnessAnswer answer)
{
    net::Response response;
    response.status = answer.status;
    response.headers.set("content-type", std::move(answer.content_type));
    response.headers.set("cache-control", "no-store");
    response.body = std::move(answer.body);
    return response;
}

tlog::WitnessAnswer answer_to(Desk const& desk, net::Request const& request)
{
    constexpr std::string_view suffix = "/checkpoint";
    std::string_view const path = request.path;
    if (path == "/add-checkpoint" && request.method != "POST")
        return { .status = 405, .content_type = "text/plain; charset=utf-8", .body = "POST it\n", .reason = "not a POST" };
    if (path == "/add-checkpoint")
        return desk.witness.add_checkpoint(request.body, desk.clock.now());
    if (request.method == "GET" && path.ends_with(suffix) && path.size() > suffix.size())
        return desk.witness.latest(path.substr(1, path.size() - suffix.size() - 1));
    return { .status = 404, .content_type = "text/plain; charset=utf-8", .body = "no such path\n", .reason = "no such path" };
}

net::Task<net::Response> answer(Desk const* desk, net::Request request)
{
    auto answered = answer_to(*desk, request);
    if (answered.status == 422)
        log_error("A LOG SHOWS A TREE THAT IS NOT CONSISTENT WITH WHAT WAS COSIGNED OF IT",
            { { "path", request.path }, { "reason", answered.reason } });
    else if (!answered.reason.empty())
        log_info("request refused", { { "path", request.path }, { "status", answered.status }, { "reason", answered.reason } });
    co_return to_response(std::move(answered));
}

Result<int> serve(cli::Session const& session, Options const& options)
{
    TRY(set_up_process(options.role));
    if (options.role.data.empty())
        return invalid_argument("--data names the folder of the witness's key and state");
    SystemClock const clock;
    auto const folder = data_folder_of(options.role);
    auto const signer = TRY(open_signer(folder, options.name));
    auto const key = signer.verifier().to_text();
    if (options.shows_key) {
        if (session.json)
            cli::print_json(JsonObject { { "name", signer.name }, { "key", key } });
        else
            cli::print_line(key);
        return 0;
    }
    std::vector<tlog::NoteVerifier> logs;
    for (auto const& log : options.logs)
        logs.push_back(TRY(tlog::NoteVerifier::parse(log).in("--log")));
    auto const witness = TRY(tlog::Witness::open({ .folder = folder / "logs", .signer = signer, .logs = std::move(logs) }));
    Desk const desk { *witness, clock };
    net::EventLoop loop;
    auto const listen = TRY(net::parse_address(options.role.listen).in("--listen"));
    auto const* tcp = std::get_if<net::TcpAddress>(&listen);
    if (tcp == nullptr)
        return invalid_argument("--listen takes an IP address and a port");
    auto listener = TRY(net::listen_tcp(loop, *tcp).in("--listen"));
    auto const address = net::to_string(listener->address());
    net::HttpServer server(loop, [&desk](net::Request request) { return answer(&desk, std::move(request)); });
    server.serve(std::move(listener));
    log_info("witness serves", { { "address", address }, { "key", key }, { "logs", options.logs.size() } });
    auto const signal = loop.run_until_signal();
    log_info("witness stops", { { "signal", signal } });
    loop.run(server.shutdown(shutdown_grace));
    return 0;
}

} // namespace

void add_witness_command(CLI::App& app, cli::Session& session)
{
    auto* command = app.get_subcommand("audit")->add_subcommand("witness", "Serve: cosign checkpoints of logs that only grow (C2SP tlog-witness)");
    auto const options = std::make_shared<Options>();
    options->role.listen = "127.0.0.1:8440";
    command->add_option("--data", options->role.data, "Folder for its key and for what it has cosigned")->required()->type_name("DIR");
    command->add_option("--listen", options->role.listen, "IP address and port for HTTP; port 0: any free one")
        ->type_name("ADDRESS")
        ->capture_default_str();
    command->add_option("--name", options->name, "Name in its key, like a URL without its scheme; fixed at the first start")->type_name("NAME");
    command->add_option("--log", options->logs, "Verifier key of a log to cosign (C2SP signed-note); may be given again")->type_name("KEY");
    command->add_flag("--show-key", options->shows_key, "Print its verifier key, made if there is none, and end");
    command->add_option("--log-level", options->role.log_level, "debug, info, warning, error or off")
        ->check(CLI::IsMember({ "debug", "info", "warning", "error", "off" }))
        ->capture_default_str();
    cli::add_json_flag(*command, session);
    command->footer("It speaks plain HTTP: a proxy in front of it ends TLS. Its state is one file for each log, durable before it answers.\n\n"
                    "Example:\n  writ audit witness --data /var/lib/writ-witness --name witness.example/w1 \\\n"
                    "      --log \"$(cat verifier)\" --listen 127.0.0.1:8440");
    command->callback([&session, options] {
        session.action = [&session, options] {
            auto const served = serve(session, *options);
            return served.is_error() ? cli::fail(served.error()) : *served;
        };
    });
}

} // namespace writ::programs
