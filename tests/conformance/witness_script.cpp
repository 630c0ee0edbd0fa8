// SPDX-License-Identifier: Apache-2.0
#include "witness_script.h"

#include "hurl.h"
#include "tlog/witness.h"

#include <algorithm>
#include <set>

namespace writ::conformance {

namespace {

using Words = std::vector<std::string>;

// SPEC: txtar: what stands before the first `-- NAME --` is the comment; here, the script.
struct Archive {
    std::string script;
    std::map<std::string, std::string, std::less<>> files;
};

Archive parse_archive(std::string_view text)
{
    Archive archive;
    auto* current = &archive.script;
    while (!text.empty()) {
        auto const end = std::min(text.find('\n'), text.size());
        auto const line = text.substr(0, end);
        text.remove_prefix(std::min(text.size(), end + 1));
        if (line.starts_with("-- ") && line.ends_with(" --") && line.size() > 6)
            current = &archive.files[std::string(line.substr(3, line.size() - 6))];
        else
            *current += std::string(line) + "\n";
    }
    return archive;
}

// SPEC: rsc.io/script: words are parted by blanks; what is between single quotes is taken as it is.
Words words_of(std::string_view line)
{
    Words words;
    std::string word;
    auto is_quoted = false, is_begun = false;
    for (auto const character : line) {
        if (character == '\'') {
            is_quoted = !is_quoted;
            is_begun = true;
        } else if (!is_quoted && (character == ' ' || character == '\t')) {
            if (is_begun)
                words.push_back(std::exchange(word, {}));
            is_begun = false;
        } else if (!is_quoted && character == '#' && !is_begun) {
            break;
        } else {
            word += character;
            is_begun = true;
        }
    }
    if (is_begun)
        words.push_back(word);
    return words;
}

// `-name=value`, `--name value`.
std::vector<std::string> option(Words const& words, std::string const& name)
{
    std::vector<std::string> values;
    for (std::size_t i = 0; i < words.size(); ++i) {
        std::string_view word = words[i];
        if (!word.starts_with('-'))
            continue;
        word.remove_prefix(word.starts_with("--") ? 2 : 1);
        if (word == name && i + 1 < words.size())
            values.push_back(words[i + 1]);
        else if (word.starts_with(name + "="))
            values.emplace_back(word.substr(name.size() + 1));
    }
    return values;
}

std::string option_or(Words const& words, std::string const& name, std::string otherwise)
{
    auto const values = option(words, name);
    return values.empty() ? std::move(otherwise) : values.back();
}

// An Ed25519 key as ssh-keygen writes it, without a passphrase (PROTOCOL.key of OpenSSH).
Result<crypto::PrivateKey> parse_openssh_key(std::string_view pem)
{
    constexpr std::string_view begin = "-----BEGIN OPENSSH PRIVATE KEY-----", type = "ssh-ed25519";
    auto const from = pem.find(begin), until = pem.find("-----END");
    if (from == std::string_view::npos || until == std::string_view::npos)
        return invalid_argument("no OpenSSH key");
    auto base64 = std::string(pem.substr(from + begin.size(), until - from - begin.size()));
    std::erase_if(base64, [](char character) { return character == '\n' || character == '\r'; });
    auto const bytes = TRY(parse_base64(base64));
    // The private part repeats the type; behind it stand the public key (4 + 32 bytes) and seed and public key again (4 + 64).
    auto const text = as_text(bytes);
    auto const place = text.rfind(type);
    if (place == std::string_view::npos || text.find(type) == place || place + type.size() + 4 + 32 + 4 + 32 > text.size())
        return invalid_argument("not an Ed25519 key");
    Bytes pkcs8 = TRY(parse_hex("302e020100300506032b657004220420"));
    auto const seed = BytesView(bytes).subspan(place + type.size() + 4 + 32 + 4, 32);
    pkcs8.insert(pkcs8.end(), seed.begin(), seed.end());
    return crypto::PrivateKey::parse_pkcs8(pkcs8);
}

struct TemporaryFolder {
    TemporaryFolder()
    {
        auto pattern = (std::filesystem::temp_directory_path() / "writ-script-XXXXXX").string();
        ASSERT(::mkdtemp(pattern.data()) != nullptr);
        path = pattern;
    }
    ~TemporaryFolder() { std::filesystem::remove_all(path); }
    TemporaryFolder(TemporaryFolder const&) = delete;
    TemporaryFolder& operator=(TemporaryFolder const&) = delete;
    Path path;
};

class Script {
public:
    Script(std::string name, Archive archive, Tally& tally)
        : name_(std::move(name))
        , archive_(std::move(archive))
        , tally_(tally)
    {
    }

    void run()
    {
        std::string_view rest = archive_.script;
        for (int number = 1; !rest.empty() && !is_skipped_; ++number) {
            auto const end = std::min(rest.find('\n'), rest.size());
            auto const line = std::string(rest.substr(0, end));
            rest.remove_prefix(std::min(rest.size(), end + 1));
            where_ = name_ + ":" + std::to_string(number);
            auto words = words_of(line);
            if (!words.empty())
                run_line(std::move(words), line);
        }
    }

private:
    void run_line(Words words, std::string const& line)
    {
        static std::set<std::string, std::less<>> const surroundings { "env", "wait", "waitfor", "sleep", "kill", "chmod", "mkdir", "cp", "mv",
            "cat", "echo", "cd", "rm", "replace", "stop" };
        auto const is_failing = words.front() == "!";
        if (is_failing || words.front() == "?")
            words.erase(words.begin());
        if (line.find("bastion") != std::string::npos)
            return skip("bastions (C2SP https-bastion) are not spoken");
        if (words.empty() || surroundings.contains(words.front()))
            return;
        if (words.front() == "exec" && words.size() > 1) {
            words.erase(words.begin());
            return execute(words, is_failing);
        }
        if (words.front() == "stdout" || words.front() == "stderr" || words.front() == "grep" || words.front() == "cmp")
            return tally_.skip("what programs print");
        return execute(words, is_failing);
    }

    void skip(std::string const& rule)
    {
        is_skipped_ = true;
        tally_.skip(rule);
    }

    void execute(Words const& words, bool is_failing)
    {
        auto const& program = words.front();
        if (program == "ssh-agent" || program == "ssh-add" || program == "ssh-keygen" || program == "bash" || program == "sh")
            return;
        if (program == "witnessctl")
            return configure(words, is_failing);
        if (program == "litewitness")
            return start(words);
        if (program == "hurl")
            return send(words, is_failing);
        tally_.expect(false, where_ + ": command `" + program + "` is not known here");
    }

    void configure(Words const& words, bool is_failing)
    {
        auto const command = words.size() > 1 ? words[1] : std::string();
        if (command == "list-logs" || command == "pull-logs" || is_failing)
            return tally_.skip("witnessctl's own answers");
        auto const origin = option_or(words, "origin", "");
        auto const key = option_or(words, "key", "");
        if (command == "add-log") {
            known_.insert(origin);
        } else if (command == "add-key") {
            auto const parsed = tlog::NoteVerifier::parse(key);
            if (parsed.is_error())
                return skip("keys that are not Ed25519");
            keys_[origin].insert(key);
        } else if (command == "del-key") {
            keys_[origin].erase(key);
        } else if (command == "add-sigsum-log") {
            add_sigsum_log(key);
        } else {
            tally_.expect(false, where_ + ": witnessctl `" + command + "` is not known here");
        }
    }

    // SPEC: Sigsum: the origin is `sigsum.org/v1/tree/` and the SHA-256 of the public key.
    void add_sigsum_log(std::string const& hex)
    {
        auto const bytes = parse_hex(hex);
        auto spki = parse_hex("302a300506032b6570032100").value();
        if (bytes.is_ok())
            spki.insert(spki.end(), bytes->begin(), bytes->end());
        auto const key = crypto::PublicKey::parse_spki(spki);
        if (bytes.is_error() || key.is_error())
            return tally_.expect(false, where_ + ": not a key");
        auto const origin = "sigsum.org/v1/tree/" + to_hex(crypto::sha256(*bytes));
        keys_[origin].insert(tlog::NoteVerifier::of(origin, *key).to_text());
    }

    void start(Words const& words)
    {
        witness_name_ = option_or(words, "name", "");
        if (signer_ && signer_->name == witness_name_)
            return; // started again
        std::optional<crypto::PrivateKey> key;
        for (auto const& [name, content] : archive_.files)
            if (auto parsed = parse_openssh_key(content); parsed.is_ok() && !key)
                key = std::move(*parsed);
        signer_.emplace(tlog::WitnessSigner { .name = witness_name_,
            .key = key ? *key : crypto::PrivateKey::generate(crypto::KeyType::ed25519).value() });
    }

    [[nodiscard]] Result<std::unique_ptr<tlog::Witness>> open() const
    {
        if (!signer_)
            return invalid_argument("no witness was started");
        std::vector<tlog::NoteVerifier> logs;
        for (auto const& [origin, keys] : keys_)
            for (auto const& key : keys)
                logs.push_back(TRY(tlog::NoteVerifier::parse(key)));
        return tlog::Witness::open({ .folder = folder_.path / "logs", .signer = *signer_, .logs = std::move(logs) });
    }

    void send(Words const& words, bool is_failing)
    {
        for (auto const& word : words) {
            auto const file = archive_.files.find(word);
            if (file == archive_.files.end())
                continue;
            auto const entries = parse_hurl(file->second);
            if (entries.is_error())
                return tally_.expect(false, where_ + ": " + word + ": " + entries.error().message);
            auto const witness = open();
            if (witness.is_error())
                return tally_.expect(false, where_ + ": " + witness.error().message);
            for (auto const& entry : *entries)
                send_one(**witness, entry, where_ + ": " + word + ":" + std::to_string(entry.line), is_failing);
        }
    }

    void send_one(tlog::Witness& witness, HurlEntry const& entry, std::string const& what, bool is_failing)
    {
        constexpr std::string_view suffix = "/checkpoint";
        std::string_view const path = entry.path;
        tlog::WitnessAnswer answer;
        if (path == "/add-checkpoint" && entry.method == "POST")
            answer = witness.add_checkpoint(entry.body, SystemClock().now());
        else if (entry.method == "GET" && path.ends_with(suffix))
            answer = witness.latest(path.substr(1, path.size() - suffix.size() - 1));
        else
            return tally_.skip("pages of litewitness");
        auto const checked = check_hurl(entry, { answer.status, answer.content_type, answer.body });
        tally_.expect(checked.is_error() == is_failing, what + ": " + (checked.is_error() ? checked.error().message : "is not to pass"));
    }

    std::string name_, where_, witness_name_;
    Archive archive_;
    Tally& tally_;
    TemporaryFolder folder_;
    std::set<std::string> known_;
    std::map<std::string, std::set<std::string>> keys_; // by origin
    std::optional<tlog::WitnessSigner> signer_;
    bool is_skipped_ = false;
};

} // namespace

bool is_witness_script(std::string_view text) { return text.find("litewitness") != std::string_view::npos && text.find("\n-- ") != std::string_view::npos; }

void run_witness_script(std::string const& name, std::string_view text, Tally& tally) { Script(name, parse_archive(text), tally).run(); }

} // namespace writ::conformance
