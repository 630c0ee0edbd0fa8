// SPDX-License-Identifier: Apache-2.0
#include "net/tls_stream.h"

#include <algorithm>
#include <array>
#include <openssl/bio.h>
#include <openssl/err.h>

namespace writ::net {

namespace {

// One record with its frame (RFC 8446 §5.2).
constexpr std::size_t record_bytes_max = 16'384 + 256 + 5;
// LIMIT: plain bytes that are encrypted before they are written out.
constexpr std::size_t write_piece_bytes = 64U << 10U;

bool is_about_certificates(int reason)
{
    constexpr std::array reasons { SSL_R_CERTIFICATE_VERIFY_FAILED, SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE,
        SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED,
        SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE, SSL_R_TLSV1_ALERT_UNKNOWN_CA,
        SSL_R_TLSV1_ALERT_ACCESS_DENIED, SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED };
    return std::ranges::find(reasons, reason) != reasons.end();
}

// SECURITY: only a trouble with certificates is `unauthenticated`; a line that breaks is not.
Error tls_error(std::string_view what)
{
    auto const reason = ERR_GET_REASON(ERR_peek_error());
    auto message = std::string(what) + ": " + take_openssl_error();
    return is_about_certificates(reason) ? unauthenticated(std::move(message)) : unavailable(std::move(message));
}

std::string address_of(Peer const& peer)
{
    auto const* const address = std::get_if<AddressPeer>(&peer);
    return address ? address->address : describe(peer);
}

class TlsStream final : public Stream {
public:
    TlsStream(SslPtr ssl, std::unique_ptr<Stream> plain)
        : ssl_(std::move(ssl))
        , plain_(std::move(plain))
        , peer_(TlsPeer { .address = address_of(plain_->peer()), .certificates = nullptr, .spiffe_id = "" })
    {
        incoming_ = BIO_new(BIO_s_mem());
        outgoing_ = BIO_new(BIO_s_mem());
        ASSERT(incoming_ && outgoing_);
        SSL_set_bio(ssl_.get(), incoming_, outgoing_);
    }

    Task<Result<>> shake_hands(std::unique_ptr<PeerVerification> verification)
    {
        set_peer_verification(ssl_.get(), verification.get());
        for (;;) {
            ERR_clear_error();
            auto const result = SSL_do_handshake(ssl_.get());
            auto const cause = SSL_get_error(ssl_.get(), result);
            auto const error
                = cause == SSL_ERROR_NONE || cause == SSL_ERROR_WANT_READ ? std::optional<Error>() : handshake_error(*verification);
            auto flushed = co_await flush(); // on an error too: the peer learns it from the alert
            if (error)
                co_return *error;
            CO_TRY(flushed);
            if (cause == SSL_ERROR_NONE)
                break;
            auto received = co_await receive();
            CO_TRY(received);
        }
        set_peer_verification(ssl_.get(), nullptr);
        peer_ = describe_peer();
        co_return Result<>();
    }

    Task<Result<std::size_t>> read_some(std::span<std::uint8_t> into) override
    {
        for (;;) {
            ERR_clear_error();
            std::size_t size = 0;
            auto const result = SSL_read_ex(ssl_.get(), into.data(), into.size(), &size);
            if (result == 1)
                co_return size;
            auto const cause = SSL_get_error(ssl_.get(), result);
            if (cause == SSL_ERROR_ZERO_RETURN)
                co_return std::size_t(0);
            if (cause != SSL_ERROR_WANT_READ)
                co_return tls_error("read");
            auto flushed = co_await flush(); // an answer to a key update
            CO_TRY(flushed);
            auto received = co_await receive();
            CO_TRY(received);
        }
    }

    Task<Result<>> write(BytesView bytes) override
    {
        while (!bytes.empty()) {
            auto const piece = bytes.first(std::min(bytes.size(), write_piece_bytes));
            ERR_clear_error();
            std::size_t size = 0;
            if (SSL_write_ex(ssl_.get(), piece.data(), piece.size(), &size) != 1)
                co_return tls_error("write");
            bytes = bytes.subspan(size);
            auto flushed = co_await flush();
            CO_TRY(flushed);
        }
        co_return Result<>();
    }

    Task<> finish() override
    {
        SSL_shutdown(ssl_.get());
        auto const flushed = co_await flush();
        ERR_clear_error();
        if (flushed.is_ok())
            co_await plain_->finish();
    }

    void close() override { plain_->close(); }
    void set_deadline(Duration duration) override { plain_->set_deadline(duration); }
    void clear_deadline() override { plain_->clear_deadline(); }
    [[nodiscard]] bool has_expired() const override { return plain_->has_expired(); }

    [[nodiscard]] bool is_stale() const override
    {
        return SSL_has_pending(ssl_.get()) == 1 || BIO_pending(incoming_) > 0 || plain_->is_stale();
    }

    [[nodiscard]] bool has_left() const override { return plain_->has_left(); }
    [[nodiscard]] Peer const& peer() const override { return peer_; }

private:
    static Error handshake_error(PeerVerification const& verification)
    {
        if (verification.problem.empty())
            return tls_error("TLS handshake");
        ERR_clear_error();
        return unauthenticated("TLS handshake: " + verification.problem);
    }

    Task<Result<>> receive()
    {
        std::array<std::uint8_t, record_bytes_max> buffer; // NOLINT(cppcoreguidelines-pro-type-member-init): filled by the read
        auto read = co_await plain_->read_some(buffer);
        auto const size = CO_TRY(read);
        // SECURITY: an end without close_notify may be somebody who cut the line, so it is never the end of a message.
        if (size == 0)
            co_return unavailable("the peer cut the TLS connection off");
        ASSERT(BIO_write(incoming_, buffer.data(), static_cast<int>(size)) == static_cast<int>(size));
        co_return Result<>();
    }

    // Writes what OpenSSL has ready. If the other task is writing already, it takes this along.
    Task<Result<>> flush()
    {
        if (is_flushing_)
            co_return Result<>();
        is_flushing_ = true;
        Result<> result;
        while (result.is_ok() && BIO_pending(outgoing_) > 0) {
            Bytes bytes(static_cast<std::size_t>(BIO_pending(outgoing_)));
            ASSERT(BIO_read(outgoing_, bytes.data(), static_cast<int>(bytes.size())) == static_cast<int>(bytes.size()));
            result = co_await plain_->write(bytes);
        }
        is_flushing_ = false;
        co_return result;
    }

    [[nodiscard]] TlsPeer describe_peer() const
    {
        TlsPeer peer { .address = address_of(plain_->peer()), .certificates = nullptr, .spiffe_id = "" };
        auto* const path = SSL_get0_verified_chain(ssl_.get());
        if (SSL_get_verify_result(ssl_.get()) != X509_V_OK || sk_X509_num(path) <= 0)
            return peer;
        std::vector<Bytes> certificates;
        for (int i = 0; i < sk_X509_num(path); ++i)
            certificates.push_back(to_der(sk_X509_value(path, i)));
        peer.certificates = std::make_shared<std::vector<Bytes> const>(std::move(certificates));
        peer.spiffe_id = spiffe_id_of(sk_X509_value(path, 0));
        return peer;
    }

    SslPtr ssl_;
    std::unique_ptr<Stream> plain_;
    Peer peer_;
    BIO* incoming_ = nullptr; // owned by ssl_
    BIO* outgoing_ = nullptr; // owned by ssl_
    bool is_flushing_ = false;
};

} // namespace

Task<Result<std::unique_ptr<Stream>>> shake_hands(SslPtr ssl, std::unique_ptr<Stream> plain, std::unique_ptr<PeerVerification> verification)
{
    auto stream = std::make_unique<TlsStream>(std::move(ssl), std::move(plain));
    auto shaken = co_await stream->shake_hands(std::move(verification));
    CO_TRY(shaken);
    co_return std::unique_ptr<Stream>(std::move(stream));
}

} // namespace writ::net
