// Members of the parser that read a record by its layout (layout.h); included by row_parser.inl inside of its class.

  // A record of a layout that was seen before. Null where it has another or a value does not fit: what was
  // written then is written again.
  const char* parse_learned(RecordPlan& plan, const char* at, uint32_t row) {
    const Layouts& layouts = plan.layouts;
    uint32_t index = layouts.first();
    while (index != 0) {
      const LayoutStep& step = layouts.step(index);
      if (!layout_matches(step, at)) {
        index = step.other;
        continue;
      }
      at += step.size;
      index = step.next;
      switch (step.slot) {
        case Slot::Nothing:
          continue;
        case Slot::End:
          return apply_effects(plan, step, row) ? at : nullptr;
        case Slot::AnyText:
          at = find_string_stop(at);
          if (*at == '"') [[likely]] {
            ++at;
            continue;
          }
          at = skip_string(at);
          break;
        case Slot::AnyValue:
          depth_ = step.depth;
          at = skip_value(at);
          break;
        case Slot::Int:
          at = learned_integer(at, place(plan, step.field, step.offset, row));
          break;
        case Slot::Text:
          at = rest_of_string(*step.node, at, place(plan, step.field, step.offset, row));
          break;
        case Slot::Time:
          at = learned_time(*step.node, at, place(plan, step.field, step.offset, row));
          break;
        case Slot::Value:
          // What `null` means depends on more than the type.
          if (*at == 'n') return nullptr;
          depth_ = step.depth;
          at = value(*step.node, at, place(plan, step.field, step.offset, row));
          break;
      }
      if (!at) [[unlikely]]
        return nullptr;
    }
    return nullptr;
  }

  static char* place(const RecordPlan& plan, uint32_t field, uint32_t offset, uint32_t row) {
    const Field& of = plan.fields[field];
    return of.column + static_cast<size_t>(row) * of.column_stride + offset;
  }

  // What stands behind the digits is compared with the text that follows a number there.
  const char* learned_integer(const char* at, char* to) {
    const bool negative = *at == '-';
    const char* digits = at + negative;
    uint64_t size;
    uint32_t count = read_digits(digits, size);
    if (count - 1 < 15 && (*digits != '0' || count == 1)) [[likely]] {
      auto wide = static_cast<int64_t>(size);
      wide = negative ? -wide : wide;
      memcpy(to, &wide, sizeof wide);
      return digits + count;
    }
    return other_integer<int64_t>(at, to);
  }

  const char* learned_time(const Node& node, const char* at, char* to) {
    if (*at == '"') return time(node, at, to);
    const char* end = learned_integer(at, to);
    if (!end) return nullptr;
    int64_t number;
    memcpy(&number, to, sizeof number);
    // A number with a fraction, or too large, is read by who knows how.
    if (__builtin_mul_overflow(number, static_cast<int64_t>(time_unit), &number) || !ends_number(*end))
      return time(node, at, to);
    memcpy(to, &number, sizeof number);
    return end;
  }

  bool apply_effects(RecordPlan& plan, const LayoutStep& end, uint32_t row) {
    const LayoutEffect* effects = plan.layouts.effects().data();
    for (uint32_t i = end.effects; i != end.effects_end; ++i) {
      const LayoutEffect& effect = effects[i];
      const Field& top = plan.fields[effect.top];
      char* to = place(plan, effect.top, effect.offset, row);
      uint8_t* present = effect.nested
                             ? reinterpret_cast<uint8_t*>(to + effect.field->node.present_offset)
                             : top.valid + static_cast<size_t>(row) * top.valid_stride;
      if (!effect.absent) {
        *present = 1;
      } else if (!absent(*effect.field, to, present)) {
        return false;
      }
    }
    return true;
  }
