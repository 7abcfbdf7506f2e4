#include "runtime/tls/session.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "runtime/abi/check.h"
#include "runtime/tls/reason.h"

namespace mut::tls {
namespace {

int counted(size_t bytes) {
  return static_cast<int>(std::min<size_t>(bytes, std::numeric_limits<int>::max()));
}

// Called when the other side asks for a certificate.
int note_asked(SSL*, void* was_asked) {
  *static_cast<bool*>(was_asked) = true;
  return 1;
}

}  // namespace

Session::Session(LibraryRef library, const Context& context, Role role, std::string host)
    : library_(std::move(library)), role_(role), host_(std::move(host)) {
  const Library& ssl = *library_;
  ssl.ERR_clear_error();
  ssl_ = ssl.SSL_new(context.get());
  in_ = ssl.BIO_new(ssl.BIO_s_mem());
  out_ = ssl.BIO_new(ssl.BIO_s_mem());
  MUT_CHECK(ssl_ != nullptr && in_ != nullptr && out_ != nullptr, "there is memory for a connection");
  // Empty is no end: more may come.
  ssl.BIO_ctrl(in_, BIO_C_SET_BUF_MEM_EOF_RETURN, -1, nullptr);
  ssl.BIO_ctrl(out_, BIO_C_SET_BUF_MEM_EOF_RETURN, -1, nullptr);
  ssl.SSL_set_bio(ssl_, in_, out_);
  if (role_ == Role::Listens) {
    ssl.SSL_set_accept_state(ssl_);
    return;
  }
  ssl.SSL_set_connect_state(ssl_);
  ssl.SSL_set_cert_cb(ssl_, note_asked, &was_asked_who_it_is_);
  if (host_.empty()) return;
  if (ssl.X509_VERIFY_PARAM_set1_ip_asc(ssl.SSL_get0_param(ssl_), host_.c_str()) == 1) return;
  ssl.ERR_clear_error();
  // What a certificate has in its subject is no name of a host (RFC 9525).
  ssl.SSL_set_hostflags(ssl_, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  bool set = ssl.SSL_set1_host(ssl_, host_.c_str()) == 1;
  MUT_CHECK(set, "whatever is no address is a name");
  // A server of several names shows the certificate of this one. A name that is too long for it is sent
  // nowhere.
  ssl.SSL_ctrl(ssl_, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, host_.data());
  ssl.ERR_clear_error();
}

Session::~Session() { library_->SSL_free(ssl_); }

void Session::gather() {
  size_t bytes = library_->BIO_ctrl_pending(out_);
  if (bytes == 0) return;
  size_t begin = unsent_.size();
  unsent_.resize(begin + bytes);
  int got = library_->BIO_read(out_, unsent_.data() + begin, counted(bytes));
  unsent_.resize(begin + static_cast<size_t>(std::max(got, 0)));
}

Error Session::failed() {
  gather();  // what the other side is told
  return {last_reason(*library_, ssl_, role_, host_)};
}

Result<Session::Agreed> Session::agree() {
  library_->ERR_clear_error();
  int done = library_->SSL_do_handshake(ssl_);
  int why = done == 1 ? SSL_ERROR_NONE : library_->SSL_get_error(ssl_, done);
  if (why == SSL_ERROR_NONE || why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
    gather();
    return done == 1 ? Agreed::Yes : Agreed::NotYet;
  }
  return failed();
}

bool Session::may_be_refused() const {
  return was_asked_who_it_is_ && library_->SSL_version(ssl_) >= TLS1_3_VERSION;
}

Result<bool> Session::look() {
  library_->ERR_clear_error();
  char ignored;
  int got = library_->SSL_peek(ssl_, &ignored, 1);
  int why = got > 0 ? SSL_ERROR_NONE : library_->SSL_get_error(ssl_, got);
  if (why == SSL_ERROR_SSL || why == SSL_ERROR_SYSCALL) return failed();
  gather();
  return got > 0 || !has_part();
}

Result<int64_t> Session::read(char* to, size_t bytes) {
  library_->ERR_clear_error();
  int got = library_->SSL_read(ssl_, to, counted(bytes));
  int why = got > 0 ? SSL_ERROR_NONE : library_->SSL_get_error(ssl_, got);
  if (why != SSL_ERROR_NONE && why != SSL_ERROR_ZERO_RETURN && why != SSL_ERROR_WANT_READ &&
      why != SSL_ERROR_WANT_WRITE)
    return failed();
  gather();
  if (got > 0) return int64_t{got};
  ended_ = why == SSL_ERROR_ZERO_RETURN;
  return ended_ ? int64_t{0} : int64_t{-1};
}

Result<size_t> Session::write(std::string_view bytes) {
  if (bytes.empty()) return size_t{0};
  library_->ERR_clear_error();
  int took = library_->SSL_write(ssl_, bytes.data(), counted(bytes.size()));
  int why = took > 0 ? SSL_ERROR_NONE : library_->SSL_get_error(ssl_, took);
  if (why != SSL_ERROR_NONE && why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) return failed();
  gather();
  return static_cast<size_t>(std::max(took, 0));
}

void Session::say_goodbye() {
  library_->ERR_clear_error();
  (void)library_->SSL_shutdown(ssl_);
  library_->ERR_clear_error();
  gather();
}

void Session::put(std::string_view encrypted) {
  int took = library_->BIO_write(in_, encrypted.data(), counted(encrypted.size()));
  MUT_CHECK(took == counted(encrypted.size()), "a buffer in memory takes what fits into memory");
}

}  // namespace mut::tls
