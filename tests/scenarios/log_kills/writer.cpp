// SPDX-License-Identifier: Apache-2.0
#include "writer.h"

#include <future>
#include <unistd.h>

namespace writ::tlog {

namespace {

constexpr int waves = 6;
constexpr int records_of_a_wave = 90;
// So that a life has several segments.
constexpr std::size_t small_segment_bytes = 16U << 10U;

// All of a line with one call: what was said before a kill is whole.
void say(std::string const& line)
{
    if (::write(STDOUT_FILENO, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
        ::_exit(3);
}

void append_wave(Log& log, int wave)
{
    auto const done = std::make_shared<std::promise<void>>();
    auto future = done->get_future();
    for (int i = 0; i < records_of_a_wave; ++i) {
        auto text = std::to_string(::getpid()) + "." + std::to_string(wave) + "." + std::to_string(i) + std::string(static_cast<std::size_t>(i), '-');
        log.append(to_bytes(text), [done, text, i](Result<std::uint64_t> const& index) {
            if (index.is_ok())
                say("acknowledged " + std::to_string(*index) + " " + text + "\n");
            if (i + 1 == records_of_a_wave)
                done->set_value();
        });
    }
    future.wait();
}

void await_signature(Log& log)
{
    std::promise<void> done;
    log.when_published(log.size(), [&](Result<> const& published) {
        if (published.is_ok())
            say("signed " + to_hex(as_bytes(log.checkpoint())) + "\n");
        done.set_value();
    });
    done.get_future().wait();
}

} // namespace

NoteSigner writers_signer()
{
    // A key that everybody knows: it signs nothing but what this test throws away.
    auto const key
        = parse_hex("302e020100300506032b6570042204209d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60").value();
    return { .name = "example.org/killed", .key = crypto::PrivateKey::parse_pkcs8(key).value() };
}

Result<std::unique_ptr<Log>> open_writers_log(Path const& folder, NoteSigner const& signer)
{
    LogSeams seams;
    seams.segment_bytes = small_segment_bytes;
    return open_log({ .folder = folder / "log", .signer = signer }, seams);
}

int write_until_killed(Path const& folder)
{
    auto const log = open_writers_log(folder, writers_signer());
    if (log.is_error()) {
        say(log.error().message + "\n");
        return 1;
    }
    for (int wave = 0; wave < waves; ++wave) {
        append_wave(**log, wave);
        if (wave % 2 == 0)
            await_signature(**log);
    }
    return 0;
}

} // namespace writ::tlog
