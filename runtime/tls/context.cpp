#include "runtime/tls/context.h"

#include <utility>
#include <vector>

#include "runtime/tls/reason.h"

namespace mut::tls {
namespace {

// All certificates that a system trusts are less than half a MiB.
constexpr size_t file_bytes_max = 4 * 1024 * 1024;

Result<std::string> read_file(env::Env& env, const std::string& path) {
  std::string out;
  if (path.empty()) return out;
  auto what = env.identify(path);
  if (!what) return what.error();
  // A pipe would be waited for.
  if (!what.value().regular) return Error{path + ": it is no plain file"};
  auto file = env.open_input(path);
  if (!file) return file.error();
  char room[16 * 1024];
  while (true) {
    auto got = file.value()->read(room, sizeof(room));
    if (!got) return got.error();
    if (got.value() == 0) return out;
    out.append(room, got.value());
    if (out.size() > file_bytes_max) return Error{path + ": longer than certificates are, 4 MiB"};
  }
}

// Else the library would ask at the terminal.
int no_passphrase(char*, int, int, void*) { return -1; }

using Certificate = std::shared_ptr<X509>;

class Maker {
 public:
  Maker(const LibraryRef& library, const Files& files, const Texts& texts)
      : library_(library), files_(files), texts_(texts) {}

  Result<Context> make(Role role) {
    const Library& ssl = *library_;
    ssl.ERR_clear_error();
    const SSL_METHOD* method = role == Role::Connects ? ssl.TLS_client_method() : ssl.TLS_server_method();
    SSL_CTX* made = ssl.SSL_CTX_new(method);
    if (made == nullptr) return Error{"encryption is not possible: " + last_reason(ssl)};
    context_ = Context(made, [library = library_](SSL_CTX* gone) { library->SSL_CTX_free(gone); });
    ssl.SSL_CTX_ctrl(made, SSL_CTRL_SET_MIN_PROTO_VERSION, TLS1_2_VERSION, nullptr);
    ssl.SSL_CTX_ctrl(made, SSL_CTRL_SET_SESS_CACHE_MODE, SSL_SESS_CACHE_OFF, nullptr);
    ssl.SSL_CTX_ctrl(made, SSL_CTRL_MODE, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER,
                     nullptr);
    ssl.SSL_CTX_set_options(made, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
                                      SSL_OP_CIPHER_SERVER_PREFERENCE);
    // Who only writes would not read them, and its connection would end by a reset.
    ssl.SSL_CTX_set_num_tickets(made, 0);
    Status used = files_.certificate.empty() ? Status(Unit{}) : use_certificate();
    if (used) used = use_authorities(role);
    if (!used) return used.error();
    return context_;
  }

 private:
  Result<std::vector<Certificate>> read(const std::string& path, const std::string& text) {
    const Library& ssl = *library_;
    std::vector<Certificate> out;
    std::shared_ptr<BIO> bytes(ssl.BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), ssl.BIO_free);
    while (X509* each = ssl.PEM_read_bio_X509(bytes.get(), nullptr, no_passphrase, nullptr))
      out.emplace_back(each, ssl.X509_free);
    int why = ERR_GET_REASON(ssl.ERR_peek_error());
    if (out.empty() || why != PEM_R_NO_START_LINE)
      return Error{path + ": no certificates of PEM (" + last_reason(ssl) + ")"};
    ssl.ERR_clear_error();
    return out;
  }

  Status use_certificate() {
    const Library& ssl = *library_;
    auto chain = read(files_.certificate, texts_.certificate);
    if (!chain) return chain.error();
    std::vector<Certificate>& certificates = chain.value();
    if (ssl.SSL_CTX_use_certificate(context_.get(), certificates[0].get()) != 1)
      return Error{files_.certificate + ": " + last_reason(ssl)};
    for (size_t i = 1; i < certificates.size(); ++i)
      ssl.SSL_CTX_ctrl(context_.get(), SSL_CTRL_CHAIN_CERT, 1, certificates[i].get());
    std::shared_ptr<BIO> bytes(
        ssl.BIO_new_mem_buf(texts_.certificate_key.data(), static_cast<int>(texts_.certificate_key.size())),
        ssl.BIO_free);
    std::shared_ptr<EVP_PKEY> key(ssl.PEM_read_bio_PrivateKey(bytes.get(), nullptr, no_passphrase, nullptr),
                                  ssl.EVP_PKEY_free);
    if (!key) {
      return Error{files_.certificate_key + ": no private key of PEM (" + last_reason(ssl) +
                   "); one with a passphrase cannot be read here: `openssl pkey` takes it off"};
    }
    if (ssl.SSL_CTX_use_PrivateKey(context_.get(), key.get()) != 1 ||
        ssl.SSL_CTX_check_private_key(context_.get()) != 1) {
      return Error{files_.certificate_key + ": " + last_reason(ssl) +
                   ": it belongs to another certificate than " + files_.certificate};
    }
    return Unit{};
  }

  Status use_authorities(Role role) {
    const Library& ssl = *library_;
    if (files_.authorities.empty()) {
      ssl.SSL_CTX_set_verify(context_.get(), SSL_VERIFY_NONE, nullptr);
      return Unit{};
    }
    auto trusted = read(files_.authorities, texts_.authorities);
    if (!trusted) return trusted.error();
    X509_STORE* store = ssl.SSL_CTX_get_cert_store(context_.get());
    for (const Certificate& each : trusted.value()) {
      ssl.X509_STORE_add_cert(store, each.get());
      if (role == Role::Listens) ssl.SSL_CTX_add_client_CA(context_.get(), each.get());
    }
    ssl.SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    return Unit{};
  }

  const LibraryRef& library_;
  const Files& files_;
  const Texts& texts_;
  Context context_;
};

}  // namespace

Result<Texts> read_texts(env::Env& env, const Files& files) {
  auto certificate = read_file(env, files.certificate);
  if (!certificate) return certificate.error();
  auto key = read_file(env, files.certificate_key);
  if (!key) return key.error();
  auto authorities = read_file(env, files.authorities);
  if (!authorities) return authorities.error();
  return Texts{std::move(certificate).value(), std::move(key).value(), std::move(authorities).value()};
}

Result<Context> make_context(const LibraryRef& library, Role role, const Files& files, const Texts& texts) {
  return Maker(library, files, texts).make(role);
}

}  // namespace mut::tls
