// Certificates for tests, made when they are needed.
#pragma once
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

namespace mut::test {

// A certificate with its key.
class Certificate {
 public:
  struct About {
    std::string name;        // of whom: "localhost"
    std::string stands_for;  // "DNS:localhost,IP:127.0.0.1"; empty: an authority
    int64_t valid_s = 3600;  // from an hour ago on until so long from now
  };
  // Signed by `authority`, or by itself.
  Certificate(const About& about, const Certificate* authority)
      : key_(EVP_EC_gen("P-256"), EVP_PKEY_free), certificate_(X509_new(), X509_free) {
    static long serial = 0;
    X509* made = certificate_.get();
    X509_set_version(made, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(made), -7200);
    X509_gmtime_adj(X509_getm_notAfter(made), about.valid_s);
    X509_set_pubkey(made, key_.get());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(about.name.c_str()), -1, -1, 0);
    const Certificate& by = authority != nullptr ? *authority : *this;
    X509_set_issuer_name(made, X509_get_subject_name(by.certificate_.get()));
    if (about.stands_for.empty()) {
      extend(NID_basic_constraints, "critical,CA:TRUE");
    } else {
      extend(NID_subject_alt_name, about.stands_for.c_str());
    }
    X509_sign(made, by.key_.get(), EVP_sha256());
  }

  std::string certificate_text() const {
    return text([&](BIO* to) { PEM_write_bio_X509(to, certificate_.get()); });
  }
  std::string key_text() const {
    return text(
        [&](BIO* to) { PEM_write_bio_PrivateKey(to, key_.get(), nullptr, nullptr, 0, nullptr, nullptr); });
  }

 private:
  void extend(int kind, const char* value) {
    X509_EXTENSION* made = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value);
    X509_add_ext(certificate_.get(), made, -1);
    X509_EXTENSION_free(made);
  }
  template <typename Write>
  static std::string text(Write write) {
    std::unique_ptr<BIO, decltype(&BIO_free)> bytes(BIO_new(BIO_s_mem()), BIO_free);
    write(bytes.get());
    char* begin = nullptr;
    long size = BIO_get_mem_data(bytes.get(), &begin);
    return {begin, static_cast<size_t>(size)};
  }
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
  std::unique_ptr<X509, decltype(&X509_free)> certificate_;
};

}  // namespace mut::test
