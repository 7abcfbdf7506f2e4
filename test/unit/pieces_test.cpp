// Functions that versions share: which are taken for the same, and that they are put together right.
#include <gtest/gtest.h>
#include <llvm/AsmParser/Parser.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>
#include <llvm/Support/SourceMgr.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>

#include "compiler/jit/function_key.h"
#include "compiler/jit/generator.h"
#include "compiler/jit/jit.h"
#include "compiler/jit/piece.h"
#include "compiler/jit/piece_store.h"
#include "test/unit/kernel_run.h"

namespace mut::test {
namespace {

std::optional<std::string> key_of(const std::string& body, const std::string& before = {}) {
  llvm::LLVMContext context;
  llvm::SMDiagnostic problem;
  auto module =
      llvm::parseAssemblyString(before +
                                    "\ndeclare void @g(i64) nounwind\ndeclare void @h(i64) nounwind\n"
                                    "define void @f(ptr %0, i64 %1, i64 %2) nounwind {\n" +
                                    body + "\n  ret void\n}\n",
                                problem, context);
  EXPECT_TRUE(module) << problem.getMessage().str() << " in " << body;
  return module ? jit::function_key(*module->getFunction("f")) : std::nullopt;
}

TEST(FunctionKey, TellsApartWhatTheCodeDependsOn) {
  const std::vector<std::pair<std::string, std::string>> pairs = {
      {"%a = add i64 %1, 1", "%a = add i64 %1, 2"},
      {"%a = add i64 %1, 1", "%a = sub i64 %1, 1"},
      {"%a = add i64 %1, 1", "%a = add nsw i64 %1, 1"},
      {"%a = add i64 %1, 1", "%a = add i64 %2, 1"},
      {"%a = add i64 %1, 254", "%a = add i64 %1, 255"},
      {"%a = add i64 %1, 1", "%a = add i64 %1, 18446744073709551361"},
      {"%a = add i32 1, 1", "%a = add i16 1, 1"},
      {"%a = icmp slt i64 %1, %2", "%a = icmp ult i64 %1, %2"},
      {"%a = fcmp olt double 1.0, 2.0", "%a = fcmp olt double 1.0, 3.0"},
      {"%a = fadd double 1.0, 2.0", "%a = fadd float 1.0, 2.0"},
      {"%a = fadd double 1.0, 2.0", "%a = fadd fast double 1.0, 2.0"},
      {"%a = load i64, ptr %0, align 8", "%a = load i64, ptr %0, align 4"},
      {"%a = load i64, ptr %0, align 8", "%a = load i64, ptr %0, align 8, !invariant.load !{}"},
      {"%a = load i64, ptr %0, align 8, !range !{i64 0, i64 2}",
       "%a = load i64, ptr %0, align 8, !range !{i64 0, i64 3}"},
      {"store i64 %1, ptr %0, align 8", "store i64 %2, ptr %0, align 8"},
      {"%a = alloca i64, align 8", "%a = alloca i64, align 16"},
      {"%a = alloca [4 x i8], align 8", "%a = alloca [5 x i8], align 8"},
      {"%a = getelementptr i8, ptr %0, i64 %1", "%a = getelementptr i64, ptr %0, i64 %1"},
      {"%a = zext i32 1 to i64", "%a = sext i32 1 to i64"},
      {"call void @g(i64 %1)", "call void @h(i64 %1)"},
      {"call void @g(i64 %1)", "call void @g(i64 %1) cold"},
      {"call void @g(i64 %1)", "call void @g(i64 signext %1)"},
      {"call void @g(i64 %1)", "tail call void @g(i64 %1)"},
      {"br i1 true, label %a, label %b\na:\n  br label %b\nb:",
       "br i1 true, label %b, label %a\na:\n  br label %b\nb:"},
      {"br label %b\nb:\n  %c = phi i64 [ 1, %3 ]", "br label %b\nb:\n  %c = phi i64 [ 2, %3 ]"},
      {"%a = extractvalue { i64, i64 } poison, 0", "%a = extractvalue { i64, i64 } poison, 1"},
      {"%a = extractvalue { i64, i64 } poison, 0", "%a = extractvalue { i64, i64 } zeroinitializer, 0"},
      {"switch i64 %1, label %a [ i64 1, label %a ]\na:", "switch i64 %1, label %a [ i64 2, label %a ]\na:"},
  };
  for (const auto& [one, other] : pairs) {
    auto a = key_of(one);
    auto b = key_of(other);
    ASSERT_TRUE(a) << one;
    ASSERT_TRUE(b) << other;
    EXPECT_NE(*a, *b) << one << " / " << other;
    EXPECT_EQ(*a, *key_of(one)) << one;
  }
}

TEST(FunctionKey, KnowsAGlobalByWhatItHolds) {
  auto of = [](const std::string& text, const std::string& name) {
    return key_of("%a = load i8, ptr @" + name, "@" + name + " = private constant " + text);
  };
  EXPECT_EQ(*of("[2 x i8] c\"ab\"", "x"), *of("[2 x i8] c\"ab\"", "y"));
  EXPECT_NE(*of("[2 x i8] c\"ab\"", "x"), *of("[2 x i8] c\"ac\"", "x"));
  EXPECT_FALSE(key_of("%a = load i8, ptr @x", "@x = private global i8 1"));
}

TEST(FunctionKey, IsNotThereForWhatItDoesNotKnow) {
  EXPECT_FALSE(key_of("fence seq_cst"));
  EXPECT_FALSE(key_of("%a = load volatile i64, ptr %0"));
  EXPECT_FALSE(key_of("%a = load atomic i64, ptr %0 seq_cst, align 8"));
  EXPECT_FALSE(key_of("store volatile i64 1, ptr %0"));
  EXPECT_FALSE(key_of("call void asm \"nop\", \"\"()"));
  EXPECT_FALSE(key_of("store ptr inttoptr (i64 7 to ptr), ptr %0"));
}

std::string code_text(const jit::Bytes& bytes, const jit::Constants& constants) {
  std::ostringstream out;
  out << bytes.content << '|' << bytes.alignment << '|' << bytes.alignment_offset;
  for (const jit::Reference& to : bytes.references) {
    out << '|' << int{to.kind} << ',' << to.offset << ',';
    if (!to.symbol.empty()) {
      out << to.symbol << ',' << to.addend;
      continue;
    }
    // Where the constant lies depends on the others of its object; what is read there does not.
    const std::string& of = constants[to.data].content;
    const uint64_t at = to.data_offset + static_cast<uint64_t>(to.addend + 4);
    out << (at < of.size() ? of.substr(at, 8) : "beyond");
  }
  return out.str();
}

// What is taken for the same has the same code, in whichever script.
TEST(FunctionKey, StandsForOneCodeInAllScripts) {
  auto generator = jit::make_generator(jit::Tier::Quick);
  ASSERT_TRUE(generator);
  std::map<std::string, std::string> code_of;
  size_t met_again = 0;
  size_t without = 0;
  for (const char* folder : {"/test/e2e", "/examples"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(MUT_ROOT + std::string(folder))) {
      if (entry.path().extension() != ".mut") continue;
      std::ostringstream text;
      text << std::ifstream(entry.path()).rdbuf();
      diag::Engine diags;
      auto program = session::make_program(text.str(), entry.path().string(),
                                           std::make_shared<source::SourceSet>(), diags);
      if (!program) continue;
      codegen::EmittedModule emitted =
          codegen::emit(*program->graph, codegen::Literals::Table, codegen::SourceRows::OneByOne);
      emitted.module->setDataLayout(generator->machine().createDataLayout());
      emitted.module->setTargetTriple(generator->machine().getTargetTriple().str());
      std::map<std::string, std::string> keys;
      for (llvm::Function& function : *emitted.module) {
        if (function.isDeclaration()) continue;
        function.setLinkage(llvm::GlobalValue::ExternalLinkage);
        auto key = jit::function_key(function);
        if (key) keys[function.getName().str()] = *key;
        without += key ? 0 : 1;
      }
      auto object = generator->object(*emitted.module, jit::Sections::OfFunctions);
      ASSERT_TRUE(object);
      auto split = jit::split_object({object.value().data(), object.value().size()});
      ASSERT_TRUE(split) << split.error().message << " in " << entry.path();
      for (const auto& piece : split.value()) {
        auto key = keys.find(piece->name);
        if (key == keys.end()) continue;
        auto [known, fresh] = code_of.emplace(key->second, code_text(piece->code, *piece->constants));
        met_again += fresh ? 0 : 1;
        EXPECT_EQ(known->second, code_text(piece->code, *piece->constants))
            << piece->name << " of " << entry.path();
      }
    }
  }
  EXPECT_GT(code_of.size(), 500U);
  EXPECT_GT(met_again, 100U);
  EXPECT_EQ(without, 0U);
}

std::shared_ptr<session::Program> two_streams(const std::string& y, const std::string& z) {
  diag::Engine diags;
  return session::make_program(
      "type Row = { x: int, at: time }\nsource rows: Row = host() time at\n"
      "stream out = rows | select y = " +
          y + "\nemit out to host()\nstream more = out | select z = " + z + "\nemit more to host()\n",
      "rows.mut", std::make_shared<source::SourceSet>(), diags);
}

struct Compiled {
  runtime::Kernels kernels;
  jit::CompileTimes times;
};
Compiled compile(jit::Jit& jit, const session::Program& program) {
  Compiled out;
  auto made = jit.compile(*program.graph, jit::Tier::Quick, codegen::Literals::Table, jit::Reuse::InProcess,
                          &out.times);
  EXPECT_TRUE(made) << made.error().message;
  if (made) out.kernels = std::move(made).value();
  return out;
}

TEST(Pieces, AreKeptWhereAnEditLeftThemAlone) {
  jit::Jit jit;
  auto before = two_streams("x + x", "if y > 0 then sqrt(float(y)) else 0.5");
  auto after = two_streams("x * x", "if y > 0 then sqrt(float(y)) else 0.5");
  Compiled one = compile(jit, *before);
  EXPECT_EQ(one.times.functions_kept, 0U);
  EXPECT_GE(one.times.functions, 3U);  // the source and the two streams
  Compiled other = compile(jit, *after);
  EXPECT_TRUE(other.times.compiled);
  EXPECT_EQ(other.times.functions, one.times.functions);
  EXPECT_EQ(other.times.functions_kept, one.times.functions - 1);
  EXPECT_EQ(KernelRun(before).run(one.kernels), 40);
  EXPECT_EQ(KernelRun(after).run(other.kernels), 400);
  // Versions have nothing of each other.
  one.kernels = {};
  EXPECT_EQ(jit.live_dylibs(), 1U);
  EXPECT_EQ(KernelRun(after).run(other.kernels), 400);
}

TEST(Pieces, OfAVersionThatComesBackAreNotCompiled) {
  jit::Jit jit;
  auto before = two_streams("x + x", "y");
  auto after = two_streams("x * x", "y");
  Compiled one = compile(jit, *before);
  Compiled other = compile(jit, *after);
  Compiled again = compile(jit, *before);
  EXPECT_FALSE(again.times.compiled);
  EXPECT_EQ(KernelRun(before).run(again.kernels), 40);
}

TEST(Pieces, OfAScriptOfWhichNothingRunsAreNone) {
  jit::Jit jit;
  diag::Engine diags;
  auto program = session::make_program("type Row = { x: int }\nsource rows: Row = host()\n", "rows.mut",
                                       std::make_shared<source::SourceSet>(), diags);
  ASSERT_TRUE(program);
  Compiled none = compile(jit, *program);
  EXPECT_EQ(none.times.functions, 0U);
  EXPECT_EQ(jit.live_dylibs(), 1U);
}

TEST(PieceStore, LetsGoOfTheOldestVersion) {
  jit::PieceStore store;
  auto piece = [](const std::string& key) {
    auto out = std::make_shared<jit::Piece>();
    out->key = key;
    return out;
  };
  auto shared = piece("shared");
  constexpr int versions_max = 64;
  for (int i = 0; i <= versions_max; ++i)
    store.keep("v" + std::to_string(i), {shared, piece("own" + std::to_string(i))});
  EXPECT_TRUE(store.version("v0").empty());
  EXPECT_EQ(store.function("own0"), nullptr);
  EXPECT_EQ(store.version("v1").size(), 2U);
  EXPECT_NE(store.function("own1"), nullptr);
  EXPECT_EQ(store.function("shared"), shared);
}

}  // namespace
}  // namespace mut::test
