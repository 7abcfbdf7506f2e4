// One side of an encrypted connection, as bytes: what has come is put in, what is to go is taken out. Private
// to the folder.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/tls/context.h"
#include "runtime/tls/library.h"

namespace mut::tls {

// Threads: one at a time. Fails for good where the other side breaks the protocol or is not who it should be.
class Session {
 public:
  // `host`: whom the certificate of the other side has to be of; empty: of nobody in particular.
  Session(LibraryRef library, const Context& context, Role role, std::string host);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  enum class Agreed : uint8_t { Yes, NotYet };
  Result<Agreed> agree();
  // The other side looks at the certificate of this one, or at there being none, behind what this one takes
  // for the end of the agreement: by TLS 1.3 it may still be refused. Of who connects, once both have agreed.
  bool may_be_refused() const;
  // Takes in what is put, and leaves what read() gives: whether a whole record came. Fails as read() does.
  Result<bool> look();
  // Of a record that has not come as a whole, or of what read() gives: something is there.
  bool has_part() const { return library_->SSL_has_pending(ssl_) != 0; }
  // Up to `bytes`; 0: the other side has said goodbye; -1: more has to come.
  Result<int64_t> read(char* to, size_t bytes);
  bool has_ended() const { return ended_; }  // read() has said so
  // How many bytes were taken; 0: more has to come before.
  Result<size_t> write(std::string_view bytes);
  // Nothing is written behind it.
  void say_goodbye();

  // As it came.
  void put(std::string_view encrypted);
  // As it has to go.
  std::string_view unsent() const { return unsent_; }
  void note_sent(size_t bytes) { unsent_.erase(0, bytes); }

 private:
  // Moves what the library has written to where it is taken from.
  void gather();
  Error failed();

  LibraryRef library_;
  Role role_;
  std::string host_;
  SSL* ssl_ = nullptr;
  BIO* in_ = nullptr;   // of ssl_
  BIO* out_ = nullptr;  // the same
  std::string unsent_;
  bool ended_ = false;
  bool was_asked_who_it_is_ = false;
};

}  // namespace mut::tls
