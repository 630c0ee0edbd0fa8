// SPDX-License-Identifier: Apache-2.0
#include "audit/export/credentials.h"

#include "base/secret_file.h"
#include "crypto/pem.h"

namespace writ::audit {

namespace {

constexpr char const* system_roots = "/etc/ssl/certs/ca-certificates.crt"; // Debian's ca-certificates
// LIMIT: the system's bundle has 200 KB.
constexpr std::size_t roots_bytes_max = 4U << 20U;
constexpr std::size_t secret_bytes_max = 16U << 10U;

Result<std::vector<Bytes>> read_certificates(std::string const& file)
{
    auto const text = TRY(read_file(file, roots_bytes_max));
    auto certificates = TRY(crypto::parse_pem(as_text(text), "CERTIFICATE").in("`" + file + "`"));
    if (certificates.empty())
        return invalid_argument("`" + file + "` holds no certificate in PEM");
    return certificates;
}

Result<std::optional<net::TlsIdentity>> read_identity(ExportSpecification const& specification)
{
    if (specification.certificate_file.empty())
        return std::optional<net::TlsIdentity>();
    auto certificates = TRY(read_certificates(specification.certificate_file));
    auto const text = TRY(read_secret_file(specification.key_file, secret_bytes_max));
    auto keys = TRY(crypto::parse_pem(as_text(text.reveal()), "PRIVATE KEY").in("`" + specification.key_file + "`"));
    if (keys.size() != 1)
        return invalid_argument("`" + specification.key_file + "` holds no PKCS#8 key in PEM (`BEGIN PRIVATE KEY`)");
    return std::optional(net::TlsIdentity { std::move(certificates), SecretBytes(std::move(keys.front())) });
}

} // namespace

Result<std::shared_ptr<net::TlsClientContext>> create_tls_client(ExportSpecification const& specification, Clock const& clock)
{
    net::TlsClientOptions options;
    options.roots = TRY(read_certificates(specification.ca_file.empty() ? system_roots : specification.ca_file));
    options.server_name = std::get<net::TcpAddress>(specification.destination.address).host;
    options.identity = TRY(read_identity(specification));
    return net::TlsClientContext::create(std::move(options), clock);
}

Result<SecretText> read_secret(std::string const& file)
{
    auto const bytes = TRY(read_secret_file(file, secret_bytes_max));
    auto const text = as_text(bytes.reveal());
    auto const line = text.substr(0, text.find_first_of("\r\n"));
    if (line.empty())
        return invalid_argument("`" + file + "` is empty");
    return SecretText(std::string(line));
}

} // namespace writ::audit
