// The parser itself, compiled once for each instruction set: the including file defines MUT_JSON_AVX2
// or not, and sets the target of the functions.
//
// One pass, no index of the text is built: at each place the parser knows what to expect, because
// records of one source look alike. The text ends with a newline, which is no legal byte inside of a
// record, so that no step has to ask whether the text has ended.

#include "runtime/codec/json/row_scan.inl"

constexpr double powers_of_ten[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

class Parser final : public RowParser {
 public:
  const char* parse_row(RecordPlan& plan, const char* at, uint32_t row, batch::Arena& arena) override {
    arena_ = &arena;
    if constexpr (learns) {
      if (const char* end = parse_learned(plan, at, row)) [[likely]] {
        plan.layouts.hit();
        return end;
      }
    }
    depth_ = 0;
    const char* end = parse_record<true>(plan, at, nullptr, row);
    if (learns && end) plan.layouts.miss(plan, {at, static_cast<size_t>(end - at)});
    return end;
  }

  const char* parse_value(Node& node, const char* at, char* to, batch::Arena& arena) override {
    arena_ = &arena;
    depth_ = 0;
    return optional_value(node, skip_space(at), to, reinterpret_cast<uint8_t*>(to + node.present_offset));
  }

 private:
  const char* skip_space(const char* at) const {
    while (blank(*at) || (*at == '\n' && newline_is_space)) ++at;
    return at;
  }

#include "runtime/codec/json/row_learned.inl"

  const char* fail(std::string_view reason, bool syntax = false) {
    failure_.path.clear();
    failure_.reason = reason;
    failure_.syntax = syntax;
    return nullptr;
  }
  const char* fail_syntax(std::string_view reason) { return fail(reason, true); }

  const char* fail_expected(std::string_view what, const char* at) {
    std::string_view found = kind_of_value(*at);
    return fail("expected " + std::string(what) + ", found " + std::string(found), found == "no JSON");
  }

  template <bool top>
  const char* parse_record(RecordPlan& plan, const char* at, char* base, uint32_t row) {
    if (*at != '{') return fail_expected("an object", at);
    if (++depth_ > codec::json_depth_max) return fail_syntax("nested too deep");
    at = skip_space(at + 1);
    uint64_t seen_low = 0;
    bool wide = !plan.seen_high.empty();
    if (wide) [[unlikely]]
      std::fill(plan.seen_high.begin(), plan.seen_high.end(), uint8_t{0});
    std::vector<std::pair<int32_t, Failure>> refused;  // fields whose value was, until a later one wins
    if (*at == '}') {
      ++at;
    } else {
      uint32_t* link = &plan.first;
      uint8_t* trust = nullptr;
      for (;;) {
        uint32_t index = *link;
        int32_t field_index;
        if (key_matches(plan.keys[index], at)) [[likely]] {
          Key& key = plan.keys[index];
          at += key.size;
          field_index = key.field;
          if (trust) *trust = 3;
          link = &key.next;
          trust = &key.trust;
        } else {
          at = other_key(plan, at, link, trust, field_index);
          if (!at) return nullptr;
        }
        at = skip_space(at);
        if (field_index < 0) {
          at = skip_value(at);
          if (!at) return nullptr;
        } else {
          auto number = static_cast<uint32_t>(field_index);
          Field& field = plan.fields[number];
          char* to =
              top ? field.column + static_cast<size_t>(row) * field.column_stride : base + field.offset;
          uint8_t* present = top ? field.valid + static_cast<size_t>(row) * field.valid_stride
                                 : reinterpret_cast<uint8_t*>(to + field.node.present_offset);
          const char* begin = at;
          at = field_value(field, at, to, present);
          if (!at) [[unlikely]] {
            if (failure_.syntax) return in_field(field);
            in_field(field);
            refused.emplace_back(field_index, failure_);
            int depth = depth_;
            at = skip_value(begin);
            depth_ = depth;
            if (!at) return nullptr;
          } else if (!refused.empty()) [[unlikely]] {
            std::erase_if(refused, [&](const auto& entry) { return entry.first == field_index; });
          }
          if (number < 64) {
            seen_low |= uint64_t{1} << number;
          } else {
            plan.seen_high[number - 64] = 1;
          }
        }
        at = skip_space(at);
        if (*at == ',') {
          at = skip_space(at + 1);
          continue;
        }
        if (*at != '}') return fail_syntax("expected `,` or `}`");
        ++at;
        break;
      }
    }
    --depth_;
    if (!refused.empty()) [[unlikely]] {
      failure_ = refused.front().second;
      return nullptr;
    }
    if (seen_low != plan.all_low || wide) {
      if (!fill_absent<top>(plan, seen_low, base, row)) return nullptr;
    }
    return at;
  }

  // Of a secret nothing is told but that it does not fit.
  void hide(const Node& node) {
    if (!node.secret || failure_.syntax) return;
    failure_.path.clear();
    failure_.reason = "the value does not fit its type";
  }

  const char* in_field(const Field& field) {
    hide(field.node);
    failure_.path = failure_.path.empty() ? field.desc->name : field.desc->name + "." + failure_.path;
    return nullptr;
  }

  // The value of a declared field, null included.
  const char* field_value(Field& field, const char* at, char* to, uint8_t* present) {
    if (*at == 'n' && memcmp(at, "null", 4) == 0) [[unlikely]] {
      if (!field.node.optional && field.node.kind == abi::TypeKind::Json && !field.desc->has_default) {
        return value(field.node, at, to);
      }
      return absent(field, to, present) ? at + 4 : nullptr;
    }
    at = value(field.node, at, to);
    if (field.node.optional) *present = 1;
    return at;
  }

  const char* optional_value(Node& node, const char* at, char* to, uint8_t* present) {
    if (!node.optional) return value(node, at, to);
    if (memcmp(at, "null", 4) == 0) {
      memset(to, 0, node.size);
      *present = 0;
      return at + 4;
    }
    *present = 1;
    return value(node, at, to);
  }

  bool absent(Field& field, char* to, uint8_t* present) {
    auto reason = read_absent(field, time_unit, *arena_, to, present);
    return !reason || fail(*reason) != nullptr;
  }

  template <bool top>
  bool fill_absent(RecordPlan& plan, uint64_t seen_low, char* base, uint32_t row) {
    auto fill = [&](size_t i) {
      Field& field = plan.fields[i];
      char* to = top ? field.column + static_cast<size_t>(row) * field.column_stride : base + field.offset;
      uint8_t* present = top ? field.valid + static_cast<size_t>(row) * field.valid_stride
                             : reinterpret_cast<uint8_t*>(to + field.node.present_offset);
      if (absent(field, to, present)) return true;
      in_field(field);
      return false;
    };
    for (uint64_t left = plan.all_low & ~seen_low; left != 0; left &= left - 1) {
      if (!fill(static_cast<size_t>(__builtin_ctzll(left)))) return false;
    }
    for (size_t i = 0; i < plan.seen_high.size(); ++i) {
      if (!plan.seen_high[i] && !fill(i + 64)) return false;
    }
    return true;
  }

  // A key that was not the expected one: finds or learns it, and what to expect after its predecessor.
  const char* other_key(RecordPlan& plan, const char* at, uint32_t*& link, uint8_t*& trust,
                        int32_t& field_index) {
    if (*at != '"') return fail_syntax("expected a key");
    uint32_t index = 0;
    for (uint32_t i = 1; i < plan.keys.size() && index == 0; ++i) {
      if (key_matches(plan.keys[i], at)) index = i;
    }
    const char* after;
    if (index != 0) {
      after = at + plan.keys[index].size;
      field_index = plan.keys[index].field;
    } else {
      const char* end = skip_string(at + 1);
      if (!end) return nullptr;
      std::string name;
      if (!unescape({at + 1, static_cast<size_t>(end - at - 2)}, name))
        return fail_syntax("bad escape in a key");
      field_index = plan.field_of(name);
      after = skip_space(end);
      if (*after != ':') return fail_syntax("expected `:`");
      bool tight = after == end;
      ++after;
      auto size = static_cast<uint32_t>(after - at);
      if (!tight || size > Key::text_bytes || plan.keys.size() >= learned_keys_max) return after;
      // The vector may move: links are taken up again by their index.
      size_t place = link == &plan.first ? SIZE_MAX : owner_of(plan, link);
      Key key;
      memcpy(key.text, at, size);
      key.size = size;
      key.mask = low_bits(size);
      key.field = field_index;
      index = static_cast<uint32_t>(plan.keys.size());
      plan.keys.push_back(key);
      if (place != SIZE_MAX) {
        link = &plan.keys[place].next;
        trust = &plan.keys[place].trust;
      }
    }
    if (!trust || *trust == 0) {
      *link = index;
      if (trust) *trust = 1;
    } else {
      --*trust;
    }
    link = &plan.keys[index].next;
    trust = &plan.keys[index].trust;
    return after;
  }

  static size_t owner_of(const RecordPlan& plan, const uint32_t* link) {
    return static_cast<size_t>(reinterpret_cast<const char*>(link) -
                               reinterpret_cast<const char*>(plan.keys.data())) /
           sizeof(Key);
  }

  // After the opening quote; returns the place behind the closing one.
  const char* skip_string(const char* at) {
    for (;;) {
      at = find_string_stop(at);
      if (*at == '"') return at + 1;
      if (*at != '\\') return fail_syntax(*at == '\n' ? "text without end" : "control character in text");
      at += static_cast<unsigned char>(at[1]) < 0x20 ? 1 : 2;
    }
  }

  // Over a value nobody declared: only its extent is looked at.
  const char* skip_value(const char* at) {
    if (*at == '"') return skip_string(at + 1);
    if (*at != '{' && *at != '[') {
      const char* begin = at;
      while (static_cast<unsigned char>(*at) > ' ' && *at != ',' && *at != '}' && *at != ']' && *at != '"' &&
             *at != '{' && *at != '[') {
        ++at;
      }
      return at == begin ? fail_syntax("expected a value") : at;
    }
    int depth = 0;
    for (;;) {
      at = find_bracket(at);
      switch (*at) {
        case '"':
          at = skip_string(at + 1);
          if (!at) return nullptr;
          break;
        case '\n':
          if (!newline_is_space) return fail_syntax("the record ends inside of a value");
          ++at;
          break;
        case '{':
        case '[':
          ++at;
          if (depth_ + ++depth > codec::json_depth_max) return fail_syntax("nested too deep");
          break;
        default:
          ++at;
          if (--depth == 0) return at;
      }
    }
  }

  const char* value(Node& node, const char* at, char* to) {
    using abi::TypeKind;
    switch (node.kind) {
      case TypeKind::I64:
        return integer<int64_t>(at, to);
      case TypeKind::String:
        return string(node, at, to);
      case TypeKind::F64:
        return floating<double>(at, to);
      case TypeKind::Time:
      case TypeKind::Duration:
        return time(node, at, to);
      case TypeKind::Record:
        return parse_record<false>(*node.record, at, to, 0);
      case TypeKind::Bool:
        return boolean(at, to);
      case TypeKind::Enum:
        return enumeration(node, at, to);
      case TypeKind::List:
        return list(node, at, to);
      case TypeKind::Map:
        return map(node, at, to);
      case TypeKind::Json:
        return json(at, to);
      case TypeKind::Bytes:
        return bytes(node, at, to);
      case TypeKind::I8:
        return integer<int8_t>(at, to);
      case TypeKind::I16:
        return integer<int16_t>(at, to);
      case TypeKind::I32:
        return integer<int32_t>(at, to);
      case TypeKind::U8:
        return integer<uint8_t>(at, to);
      case TypeKind::U16:
        return integer<uint16_t>(at, to);
      case TypeKind::U32:
        return integer<uint32_t>(at, to);
      case TypeKind::U64:
        return integer<uint64_t>(at, to);
      case TypeKind::F32:
        return floating<float>(at, to);
      case TypeKind::Decimal:
        return decimal_number(node, at, to);
      case TypeKind::Optional:
        break;
    }
    return fail("a value of this type cannot be read");
  }

  // A number at `at` ends here; null when it is none.
  const char* number_end(const char* at) {
    if (*at != '-' && static_cast<unsigned char>(*at - '0') >= 10) return fail_expected("a number", at);
    const char* stop = at;
    while (static_cast<unsigned char>(*stop) > ' ' && *stop != ',' && *stop != '}' && *stop != ']') ++stop;
    const char* end = validate_number(at, stop);
    return end == stop ? end : fail_syntax("malformed number");
  }

  template <typename Int>
  const char* integer(const char* at, char* to) {
    const bool negative = *at == '-';
    const char* digits = at + negative;
    uint64_t size;
    uint32_t count = read_digits(digits, size);
    if (count - 1 < 15 && (*digits != '0' || count == 1) && ends_number(digits[count])) [[likely]] {
      auto wide = static_cast<int64_t>(size);
      if (store_int<Int>(negative ? -wide : wide, to)) return digits + count;
      return fail("number out of range");
    }
    return other_integer<Int>(at, to);
  }

  template <typename Int>
  [[gnu::noinline]] const char* other_integer(const char* at, char* to) {
    if (*at != '-' && static_cast<unsigned char>(*at - '0') >= 10) return fail_expected("an integer", at);
    const char* end = number_end(at);
    if (!end) return nullptr;
    std::string_view text(at, static_cast<size_t>(end - at));
    if constexpr (std::is_same_v<Int, uint64_t>) {
      auto whole = text::whole_number_unsigned(text);
      if (!whole) return fail("expected a whole number in range");
      memcpy(to, &*whole, sizeof *whole);
    } else {
      auto whole = text::whole_number(text);
      if (!whole || !store_int<Int>(*whole, to)) return fail("expected a whole number in range");
    }
    return end;
  }

  template <typename Float>
  const char* floating(const char* at, char* to) {
    if (sizeof(Float) == 8) {
      // Up to 15 digits in all are exact in a double, and so is their division by a power of ten up to
      // 22: one rounding, hence the nearest value.
      const bool negative = *at == '-';
      const char* digits = at + negative;
      uint64_t whole, fraction = 0;
      uint32_t count = read_digits(digits, whole);
      const char* end = digits + count;
      uint32_t places = 0;
      bool point = *end == '.';
      if (point) {
        places = read_digits(end + 1, fraction);
        end += 1 + places;
      }
      if (count - 1 < 15 && count + places <= 15 && (*digits != '0' || count == 1) && ends_number(*end) &&
          point == (places != 0)) [[likely]] {
        double size = static_cast<double>(whole * static_cast<uint64_t>(powers_of_ten[places]) + fraction);
        double result = size / powers_of_ten[places];
        if (negative) result = -result;
        memcpy(to, &result, sizeof result);
        return end;
      }
    }
    return other_floating<Float>(at, to);
  }

  template <typename Float>
  [[gnu::noinline]] const char* other_floating(const char* at, char* to) {
    std::string_view text;
    const char* end;
    if (*at == '"') {
      end = skip_string(at + 1);
      if (!end) return nullptr;
      text = {at + 1, static_cast<size_t>(end - at - 2)};
      if (text != "NaN" && text != "Infinity" && text != "-Infinity")
        return fail("expected a number, found text");
    } else {
      end = number_end(at);
      if (!end) return nullptr;
      text = {at, static_cast<size_t>(end - at)};
    }
    std::optional<Float> result;
    if constexpr (sizeof(Float) == 8) {
      result = text::parse_float(text);
    } else {
      result = text::parse_float32(text);
    }
    if (!result) return fail("number out of range");
    memcpy(to, &*result, sizeof *result);
    return end;
  }

  // A number, or text that is one; its digits must fit.
  const char* decimal_number(const Node& node, const char* at, char* to) {
    const bool negative = *at == '-';
    const char* digits = at + negative;
    uint64_t whole, fraction = 0;
    uint32_t count = read_digits(digits, whole);
    const char* end = digits + count;
    uint32_t places = 0;
    bool point = *end == '.';
    if (point) {
      places = read_digits(end + 1, fraction);
      end += 1 + places;
    }
    auto scale = static_cast<uint32_t>(node.scale);
    if (count - 1 < 15 && places <= scale && count + scale <= 15 && (*digits != '0' || count == 1) &&
        ends_number(*end) && point == (places != 0)) [[likely]] {
      auto size = static_cast<int64_t>(whole * static_cast<uint64_t>(powers_of_ten[scale]) +
                                       fraction * static_cast<uint64_t>(powers_of_ten[scale - places]));
      return store_units(negative ? -size : size, end, to);
    }
    return other_decimal(node, at, to);
  }

  [[gnu::noinline]] const char* other_decimal(const Node& node, const char* at, char* to) {
    std::string_view text;
    const char* end;
    if (*at == '"') {
      end = plain_text("a number", at, text);
    } else {
      end = number_end(at);
      if (end) text = {at, static_cast<size_t>(end - at)};
    }
    if (!end) return nullptr;
    auto units = decimal::parse(text, node.scale);
    if (!units)
      return fail("expected a number that fits `decimal(" + std::to_string(node.scale) + ")` exactly");
    return store_units(*units, end, to);
  }

  static const char* store_units(decimal::Units units, const char* end, char* to) {
    memcpy(to, &units, sizeof units);
    return end;
  }

  const char* boolean(const char* at, char* to) {
    if (memcmp(at, "true", 4) == 0) return *to = 1, at + 4;
    if (memcmp(at, "false", 5) == 0) return *to = 0, at + 5;
    return fail_expected("true or false", at);
  }

  const char* string(const Node& node, const char* at, char* to) {
    if (*at != '"') return fail_expected("text", at);
    return rest_of_string(node, at + 1, to);
  }

  const char* rest_of_string(const Node& node, const char* begin, char* to) {
    const char* at = find_string_stop(begin);
    if (*at == '"') [[likely]] {
      MutStr out = view_of(begin, static_cast<uint32_t>(at - begin));
      memcpy(to, &out, sizeof out);
      return at + 1;
    }
    return escaped_string(node, begin, to);
  }

  [[gnu::noinline]] const char* escaped_string(const Node& node, const char* begin, char* to) {
    const char* after = skip_string(begin);
    if (!after) return nullptr;
    const char* end = after - 1;
    char decoded[4];
    char* room =
        node.store ? static_cast<char*>(arena_->allocate(static_cast<size_t>(end - begin))) : nullptr;
    char* out = room;
    for (const char* at = begin; at != end;) {
      const char* stop = std::min(find_string_stop(at), end);
      if (room) {
        memcpy(out, at, static_cast<size_t>(stop - at));
        out += stop - at;
      }
      at = stop;
      if (at == end) break;
      Escape escape = read_escape(at, end, decoded);
      if (escape.used == 0) return fail("bad escape or lone surrogate in text");
      if (room) {
        memcpy(out, decoded, escape.written);
        out += escape.written;
      }
      at += escape.used;
    }
    MutStr text = room ? abi::make_str(room, static_cast<uint32_t>(out - room)) : MutStr{0, 0, ""};
    memcpy(to, &text, sizeof text);
    return after;
  }

  // The text at `at` without escapes resolved where there are none, else decoded into `text_`.
  const char* plain_text(std::string_view what, const char* at, std::string_view& text) {
    if (*at != '"') return fail_expected(what, at);
    const char* end = skip_string(at + 1);
    if (!end) return nullptr;
    text = {at + 1, static_cast<size_t>(end - at - 2)};
    if (memchr(text.data(), '\\', text.size())) {
      text_.clear();
      if (!unescape(text, text_)) return fail("bad escape or lone surrogate in text");
      text = text_;
    }
    return end;
  }

  const char* time(const Node& node, const char* at, char* to) {
    const bool is_time = node.kind == abi::TypeKind::Time;
    std::optional<int64_t> ns;
    const char* end;
    if (*at == '"') {
      std::string_view text;
      end = plain_text("a time", at, text);
      if (!end) return nullptr;
      ns = is_time ? text::parse_input_time(text, time_unit) : text::parse_input_duration(text, time_unit);
    } else {
      const bool negative = *at == '-';
      const char* digits = at + negative;
      uint64_t size;
      uint32_t count = read_digits(digits, size);
      if (count - 1 < 15 && (*digits != '0' || count == 1) && ends_number(digits[count])) [[likely]] {
        int64_t out;
        auto wide = static_cast<int64_t>(size);
        if (!__builtin_mul_overflow(negative ? -wide : wide, static_cast<int64_t>(time_unit), &out)) ns = out;
        end = digits + count;
      } else {
        if (!negative && count == 0) return fail_expected(is_time ? "a time" : "a duration", at);
        end = number_end(at);
        if (!end) return nullptr;
        ns = text::scaled_number({at, static_cast<size_t>(end - at)}, static_cast<int64_t>(time_unit));
      }
    }
    if (!ns) return fail(is_time ? "expected a time in range" : "expected a duration in range");
    memcpy(to, &*ns, sizeof *ns);
    return end;
  }

  const char* enumeration(const Node& node, const char* at, char* to) {
    std::string_view text;
    const char* end = plain_text("a name", at, text);
    if (!end) return nullptr;
    MutStr name = abi::make_str(text);
    for (size_t i = 0; i < node.names.size(); ++i) {
      if (!abi::equal(node.names[i], name)) continue;
      auto index = static_cast<int32_t>(i);
      memcpy(to, &index, sizeof index);
      return end;
    }
    return fail("`" + std::string(text) + "` is none of its values");
  }

  const char* bytes(const Node& node, const char* at, char* to) {
    std::string_view text;
    const char* end = plain_text("base64 text", at, text);
    if (!end) return nullptr;
    char* room = static_cast<char*>(arena_->allocate(text::base64_bytes_max(text.size())));
    auto size = text::parse_base64(text, room);
    if (!size) return fail("expected base64 text");
    MutStr out = node.store ? abi::make_str(room, static_cast<uint32_t>(*size)) : MutStr{0, 0, ""};
    memcpy(to, &out, sizeof out);
    return end;
  }

  const char* json(const char* at, char* to) {
    const char* extent = skip_value(at);
    if (!extent) return nullptr;
    if (validate_value(at, extent, depth_) != extent) return fail("malformed JSON");
    MutStr out = abi::make_str(at, static_cast<uint32_t>(extent - at));
    memcpy(to, &out, sizeof out);
    return extent;
  }

  const char* list(Node& node, const char* at, char* to) {
    if (*at != '[') return fail_expected("a list", at);
    if (++depth_ > codec::json_depth_max) return fail_syntax("nested too deep");
    Node& element = *node.element;
    node.scratch.clear();
    uint64_t count = 0;
    at = skip_space(at + 1);
    if (*at == ']') {
      ++at;
    } else {
      for (;; at = skip_space(at + 1)) {
        node.scratch.resize((count + 1) * element.full_size);
        char* place = node.scratch.data() + count * element.full_size;
        at = optional_value(element, at, place, reinterpret_cast<uint8_t*>(place + element.present_offset));
        if (!at) return in_part(element, "[" + std::to_string(count) + "]");
        ++count;
        at = skip_space(at);
        if (*at == ',') continue;
        if (*at != ']') return fail_syntax("expected `,` or `]`");
        ++at;
        break;
      }
    }
    --depth_;
    keep(node, count, element.full_size, to);
    return at;
  }

  // The first `count` of what was gathered.
  void keep(const Node& node, uint64_t count, uint32_t size, char* to) {
    MutList out{0, nullptr};
    if (node.store && count > 0) {
      out.count = count;
      void* data = arena_->allocate(count * size);
      memcpy(data, node.scratch.data(), count * size);
      out.data = data;
    }
    memcpy(to, &out, sizeof out);
  }

  const char* in_part(const Node& part, const std::string& place) {
    hide(part);
    failure_.path = failure_.path.empty() ? place : place + "." + failure_.path;
    return nullptr;
  }

  const char* map(Node& node, const char* at, char* to) {
    if (*at != '{') return fail_expected("an object", at);
    if (++depth_ > codec::json_depth_max) return fail_syntax("nested too deep");
    Node& element = *node.element;
    uint32_t size = node.map->element->size;
    uint32_t offset = abi::value_field(*node.map).offset;
    node.scratch.clear();
    uint64_t count = 0;
    at = skip_space(at + 1);
    if (*at == '}') {
      ++at;
    } else {
      for (;; at = skip_space(at + 1)) {
        node.scratch.resize((count + 1) * size);
        char* place = node.scratch.data() + count * size;
        const char* begin = at;
        at = key(*node.key, at, place);
        if (!at) return nullptr;
        std::string_view written(begin, static_cast<size_t>(at - begin));
        at = skip_space(at);
        if (*at != ':') return fail_syntax("expected `:`");
        at = skip_space(at + 1);
        at = optional_value(element, at, place + offset,
                            reinterpret_cast<uint8_t*>(place + offset + element.present_offset));
        if (!at) return in_part(element, "[" + std::string(written) + "]");
        ++count;
        at = skip_space(at);
        if (*at == ',') continue;
        if (*at != '}') return fail_syntax("expected `,` or `}`");
        ++at;
        break;
      }
    }
    --depth_;
    if (node.store) count = abi::unite_keys(*node.map, node.scratch.data(), count);
    keep(node, count, size, to);
    return at;
  }

  const char* key(const Node& node, const char* at, char* to) {
    if (*at != '"') return fail_syntax("expected a key");
    if (node.kind == abi::TypeKind::String) return string(node, at, to);
    std::string_view text;
    const char* end = plain_text("a key", at, text);
    if (end && !codec::read_scalar(node, text, time_unit, to).empty())
      return fail("`" + std::string(text) + "` is no key of its type");
    return end;
  }

  batch::Arena* arena_ = nullptr;
  int depth_ = 0;
  std::string text_;
};
