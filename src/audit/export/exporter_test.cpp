// SPDX-License-Identifier: Apache-2.0
#include "audit/export/exporter.h"

#include "audit/audit_log.h"
#include "audit/export/position.h"
#include "net/http_server.h"
#include "net/stream.h"

#include <fstream>
#include <future>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <thread>

namespace writ::audit {
namespace {

using namespace std::chrono_literals;

// LIMIT: a test that waits so long has failed; the machine may be busy.
constexpr auto patience = 30s;

class Exports : public testing::Test {
protected:
    Exports()
    {
        auto pattern = (std::filesystem::temp_directory_path() / "writ-export-XXXXXX").string();
        EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
        EXPECT_TRUE(create_folder(folder_ / "exports").is_ok());
        log_ = AuditLog::open({ .folder = folder_ / "log", .signer = signer_ }, folder_ / "index.db", clock_).value();
    }
    ~Exports() override
    {
        exporter_.reset();
        log_.reset();
        std::filesystem::remove_all(folder_);
    }

    void append(std::size_t count, bool is_allowed = true)
    {
        Record record;
        record.time = clock_.now();
        record.trace = "t";
        record.action = "read";
        record.allowed = is_allowed;
        for (std::size_t i = 0; i < count; ++i) {
            std::promise<void> done;
            log_->append(record, [&done](Result<std::uint64_t> const& appended) {
                EXPECT_TRUE(appended.is_ok());
                done.set_value();
            });
            done.get_future().wait();
        }
    }

    void start() { exporter_ = std::make_unique<Exporter>(log_->log(), "example.org/log", folder_ / "exports", clock_); }
    void stop() { exporter_.reset(); }

    ExportSpecification to_file() const
    {
        return { .name = "siem", .destination = parse_destination("file://" + (folder_ / "out.jsonl").string()).value() };
    }
    ExportStatus status() const { return exporter_->status().front(); }
    void wait_for(std::function<bool()> const& holds) const
    {
        auto const end = std::chrono::steady_clock::time_point(SystemClock().monotonic().time_since_epoch() + patience);
        while (!holds() && std::chrono::steady_clock::time_point(SystemClock().monotonic().time_since_epoch()) < end)
            std::this_thread::yield();
        EXPECT_TRUE(holds()) << (exporter_->status().empty() ? "" : status().error);
    }
    void wait_until_at(std::uint64_t next) const
    {
        wait_for([&] { return status().next == next && status().error.empty(); });
    }
    std::optional<std::uint64_t> stored() const { return PositionFile(folder_ / "exports", "siem").load().value(); }

    std::vector<std::int64_t> sequences_in(std::string const& name) const
    {
        std::vector<std::int64_t> sequences;
        std::ifstream file(folder_ / name);
        for (std::string line; std::getline(file, line);)
            sequences.push_back(parse_json_object(line).value().at("sequence").as_int64());
        return sequences;
    }

    ManualClock clock_ { from_unix_seconds(1'790'000'000) };
    tlog::NoteSigner signer_ { .name = "example.org/log", .key = crypto::PrivateKey::generate(crypto::KeyType::ed25519).value() };
    Path folder_;
    std::unique_ptr<AuditLog> log_;
    std::unique_ptr<Exporter> exporter_;
};

std::vector<std::int64_t> numbers(std::int64_t from, std::int64_t to)
{
    std::vector<std::int64_t> all;
    for (; from < to; ++from)
        all.push_back(from);
    return all;
}

} // namespace

TEST_F(Exports, all_records_arrive_in_order_also_those_that_come_later)
{
    append(700);
    start();
    exporter_->declare({ to_file() });
    wait_until_at(700);
    append(3);
    wait_until_at(703);
    EXPECT_EQ(sequences_in("out.jsonl"), numbers(0, 703));
    EXPECT_EQ(status().sent, 703U);
    EXPECT_EQ(status().lag, 0U);
    struct stat file { };
    ASSERT_EQ(::stat((folder_ / "out.jsonl").c_str(), &file), 0);
    EXPECT_EQ(file.st_mode & 0777U, 0600U);
}

TEST_F(Exports, a_new_start_goes_on_where_the_last_one_ended)
{
    append(5);
    start();
    exporter_->declare({ to_file() });
    wait_until_at(5);
    stop();
    append(2);
    start();
    exporter_->declare({ to_file() });
    wait_until_at(7);
    EXPECT_EQ(sequences_in("out.jsonl"), numbers(0, 7));
    EXPECT_EQ(stored(), 7U);
}

TEST_F(Exports, a_line_that_a_crash_tore_is_cut_off_and_sent_again)
{
    append(2);
    std::ofstream(folder_ / "out.jsonl") << "{\"sequence\":0}\n{\"sequ";
    start();
    exporter_->declare({ to_file() });
    wait_until_at(2);
    EXPECT_EQ(sequences_in("out.jsonl"), (std::vector<std::int64_t> { 0, 0, 1 }));
}

TEST_F(Exports, a_file_that_was_renamed_is_left_and_a_new_one_begun)
{
    append(2);
    start();
    exporter_->declare({ to_file() });
    wait_until_at(2);
    std::filesystem::rename(folder_ / "out.jsonl", folder_ / "out.jsonl.1");
    append(2);
    wait_until_at(4);
    EXPECT_EQ(sequences_in("out.jsonl.1"), numbers(0, 2));
    EXPECT_EQ(sequences_in("out.jsonl"), numbers(2, 4));
}

TEST_F(Exports, what_the_filter_leaves_out_counts_as_arrived)
{
    append(2);
    append(1, false);
    append(400);
    auto denials = to_file();
    denials.filter.allowed = false;
    start();
    exporter_->declare({ denials });
    wait_until_at(403);
    EXPECT_EQ(sequences_in("out.jsonl"), numbers(2, 3));
}

TEST_F(Exports, one_that_begins_now_sends_nothing_from_before)
{
    append(3);
    auto from_now = to_file();
    from_now.begins_now = true;
    start();
    exporter_->declare({ from_now });
    wait_until_at(3);
    append(1);
    wait_until_at(4);
    EXPECT_EQ(sequences_in("out.jsonl"), numbers(3, 4));
}

TEST_F(Exports, a_destination_that_is_down_costs_a_lag_and_gets_everything_later)
{
    std::filesystem::create_directory(folder_ / "out.jsonl"); // in the way
    append(3);
    start();
    exporter_->declare({ to_file() });
    wait_for([&] { return status().failures > 0; });
    EXPECT_EQ(status().lag, 3U);
    EXPECT_EQ(exporter_->first_needed(), 0U);
    EXPECT_NE(status().error.find("out.jsonl"), std::string::npos);
    append(2); // nobody who appends waits for it
    std::filesystem::remove(folder_ / "out.jsonl");
    wait_until_at(5);
    EXPECT_EQ(sequences_in("out.jsonl"), numbers(0, 5));
    EXPECT_EQ(exporter_->first_needed(), 5U);
}

TEST_F(Exports, one_that_is_no_longer_declared_ends_and_forgets_its_position)
{
    append(2);
    start();
    exporter_->declare({ to_file() });
    wait_until_at(2);
    exporter_->declare({});
    EXPECT_TRUE(exporter_->status().empty());
    wait_for([&] { return !stored(); });
    EXPECT_EQ(exporter_->first_needed(), 2U);
}

TEST_F(Exports, one_that_changed_goes_on_from_its_position)
{
    append(2);
    start();
    exporter_->declare({ to_file() });
    wait_until_at(2);
    auto moved = to_file();
    moved.destination = parse_destination("file://" + (folder_ / "other.jsonl").string()).value();
    exporter_->declare({ moved });
    append(1);
    wait_until_at(3);
    EXPECT_EQ(sequences_in("other.jsonl"), numbers(2, 3));
}

TEST_F(Exports, a_position_that_cannot_be_read_or_is_beyond_the_log_stops_the_export_and_says_so)
{
    append(2);
    for (auto const* text : { "{", "{\"next\":-1}", "{\"next\":99}" }) {
        std::ofstream(folder_ / "exports/siem.json") << text;
        start();
        exporter_->declare({ to_file() });
        wait_for([&] { return status().failures > 0; });
        EXPECT_EQ(exporter_->first_needed(), 0U);
        EXPECT_FALSE(std::filesystem::exists(folder_ / "out.jsonl"));
        stop();
    }
}

namespace {

// Takes batches as a collector does: refuses the first two requests.
struct Collector {
    net::EventLoop& loop;
    std::size_t wanted;
    int refusals_left = 2;
    std::vector<net::Request> requests {};
    std::string lines {};

    static net::Task<net::Response> take(Collector* collector, net::Request request)
    {
        if (collector->refusals_left-- > 0)
            co_return net::Response { .status = 503, .headers = {}, .body = "not now" };
        collector->lines += request.body;
        collector->requests.push_back(std::move(request));
        if (static_cast<std::size_t>(std::ranges::count(collector->lines, '\n')) >= collector->wanted)
            collector->loop.stop();
        co_return net::Response { .status = 200, .headers = {}, .body = "" };
    }
};

} // namespace

TEST_F(Exports, a_collector_that_refuses_gets_the_same_records_again)
{
    append(5);
    net::EventLoop loop;
    Collector collector { loop, 5 };
    auto listener = net::listen_tcp(loop, { "127.0.0.1", 0 }).value();
    auto const port = std::get<net::TcpAddress>(listener->address()).port;
    net::HttpServer server(loop, [&collector](net::Request request) { return Collector::take(&collector, std::move(request)); });
    server.serve(std::move(listener));
    std::ofstream(folder_ / "token") << "s3cret\n";
    std::filesystem::permissions(folder_ / "token", std::filesystem::perms::owner_read);
    start();
    exporter_->declare({ { .name = "siem",
        .destination = parse_destination("http://127.0.0.1:" + std::to_string(port) + "/in/x%20y?a=b").value(),
        .token_file = (folder_ / "token").string() } });
    loop.run();
    wait_until_at(5);
    ASSERT_EQ(collector.requests.size(), 1U);
    auto const& request = collector.requests.front();
    EXPECT_EQ(request.path, "/in/x y");
    EXPECT_EQ(request.query.get("a"), "b");
    EXPECT_EQ(request.headers.get("authorization"), "Bearer s3cret");
    EXPECT_EQ(request.headers.get("content-type"), "application/x-ndjson");
    EXPECT_EQ(status().failures, 2U);
}

namespace {

net::Task<> read_all(net::Listener* listener, net::EventLoop* loop, std::string* into, std::string_view until)
{
    auto accepted = co_await listener->accept();
    EXPECT_TRUE(accepted.is_ok());
    auto const stream = std::move(accepted).value();
    Bytes buffer(65'536);
    while (into->find(until) == std::string::npos) {
        auto const size = co_await stream->read_some(buffer);
        if (size.is_error() || *size == 0)
            break;
        *into += as_text(BytesView(buffer).first(*size));
    }
    loop->stop();
}

} // namespace

TEST_F(Exports, syslog_sends_again_what_was_on_a_connection_that_broke)
{
    append(3);
    net::EventLoop loop;
    auto const socket = (folder_ / "syslog.sock").string();
    auto listener = net::listen_unix(loop, socket, 0600).value();
    start();
    exporter_->declare({ { .name = "siem", .destination = parse_destination("syslog+unix://" + socket).value() } });
    std::string first, second;
    loop.spawn(read_all(listener.get(), &loop, &first, "\"sequence\":2"));
    loop.run();
    wait_until_at(3);
    EXPECT_NE(first.find("sequenceId=\"1\""), std::string::npos) << first;
    EXPECT_EQ(stored(), 0U); // nobody has said that it arrived
    // The receiver is gone with what it had not written yet; the next one gets it again, and what came since.
    append(1);
    loop.spawn(read_all(listener.get(), &loop, &second, "\"sequence\":3"));
    loop.run();
    wait_until_at(4);
    EXPECT_NE(second.find("\"sequence\":0,"), std::string::npos);
    EXPECT_LT(second.find("\"sequence\":2,"), second.find("\"sequence\":3,"));
}

} // namespace writ::audit
