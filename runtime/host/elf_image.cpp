#include "host/elf_image.h"

#include <elf.h>
#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <optional>

namespace godwit::host {
namespace {

#if defined(__x86_64__)
constexpr uint16_t kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr uint16_t kMachine = EM_AARCH64;
#elif defined(__riscv)
constexpr uint16_t kMachine = EM_RISCV;
#else
#error "which ELF machine this is has to be said here"
#endif
static_assert(sizeof(void*) == 8 && std::endian::native == std::endian::little);

tl::unexpected<Error> bad(std::string text) { return fail(Code::kPluginLoadFailed, std::move(text)); }

std::string_view machine_name(uint16_t machine) {
  switch (machine) {
    case EM_X86_64: return "x86-64";
    case EM_AARCH64: return "aarch64";
    case EM_RISCV: return "riscv64";
    case EM_386: return "i386";
    case EM_ARM: return "arm";
    default: return "another machine";
  }
}

/// Empty when the range does not lie within.
std::optional<Bytes> slice(Bytes bytes, uint64_t offset, uint64_t size) {
  if (offset > bytes.size() || size > bytes.size() - offset) return std::nullopt;
  return bytes.subspan(offset, size);
}

/// A structure that stands in the file; the file's bytes need not be aligned.
template <typename T>
std::optional<T> load(Bytes bytes, uint64_t offset) {
  const auto part = slice(bytes, offset, sizeof(T));
  if (!part) return std::nullopt;
  T out;
  std::memcpy(&out, part->data(), sizeof(T));
  return out;
}

/// The text at `offset` of a string table, up to its 0.
std::string_view name_at(Bytes strings, uint64_t offset) {
  if (offset >= strings.size()) return {};
  const std::string_view rest = as_text(strings.subspan(offset));
  return rest.substr(0, rest.find('\0'));
}

}  // namespace

Result<ElfImage> ElfImage::read(Bytes file) {
  ElfImage image(file);
  if (const Status known = image.check_identity(); !known) return tl::unexpected(known.error());
  if (const Status whole = image.check_extents(); !whole) return tl::unexpected(whole.error());
  return image;
}

Status ElfImage::check_identity() const {
  if (file_.size() < SELFMAG || std::memcmp(file_.data(), ELFMAG, SELFMAG) != 0)
    return bad("is no shared object (it does not begin as an ELF file does)");
  const auto header = load<Elf64_Ehdr>(file_, 0);
  if (!header) return bad("is truncated: it ends within the ELF header");
  if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB ||
      header->e_machine != kMachine)
    return bad(fmt::format("is built for {}, this server runs on {}", machine_name(header->e_machine),
                           machine_name(kMachine)));
  if (header->e_type != ET_DYN) return bad("is no shared object; link it with -shared");
  return {};
}

/// Mapping a file that ends before its segments do would bring the process down at the first touch.
Status ElfImage::check_extents() const {
  const auto header = *load<Elf64_Ehdr>(file_, 0);
  for (uint64_t i = 0; i < header.e_phnum; ++i) {
    const auto segment = load<Elf64_Phdr>(file_, header.e_phoff + i * sizeof(Elf64_Phdr));
    if (!segment || (segment->p_type == PT_LOAD && !slice(file_, segment->p_offset, segment->p_filesz)))
      return bad(fmt::format("is truncated: it ends after {} bytes, before its segments do", file_.size()));
  }
  for (uint64_t i = 0; i < header.e_shnum; ++i) {
    const auto section = load<Elf64_Shdr>(file_, header.e_shoff + i * sizeof(Elf64_Shdr));
    if (!section) return bad(fmt::format("is truncated: it ends after {} bytes, before its sections do", file_.size()));
  }
  return {};
}

Result<Bytes> ElfImage::variable(std::string_view name) const {
  const auto header = *load<Elf64_Ehdr>(file_, 0);
  const auto section = [&](uint64_t index) {
    return load<Elf64_Shdr>(file_, header.e_shoff + index * sizeof(Elf64_Shdr));
  };
  for (uint64_t i = 0; i < header.e_shnum; ++i) {
    const auto symbols = section(i);
    if (symbols->sh_type != SHT_DYNSYM || symbols->sh_link >= header.e_shnum) continue;
    const auto table = slice(file_, symbols->sh_offset, symbols->sh_size);
    const auto names_section = section(symbols->sh_link);
    const auto names = slice(file_, names_section->sh_offset, names_section->sh_size);
    if (!table || !names) return bad("has a symbol table that lies outside of it");
    for (uint64_t at = 0; at + sizeof(Elf64_Sym) <= table->size(); at += sizeof(Elf64_Sym)) {
      const auto symbol = *load<Elf64_Sym>(*table, at);
      if (symbol.st_shndx == SHN_UNDEF || ELF64_ST_TYPE(symbol.st_info) != STT_OBJECT) continue;
      if (name_at(*names, symbol.st_name) == name) return at_address(symbol.st_value, symbol.st_size);
    }
  }
  return fail(Code::kNotFound, fmt::format("exports no variable '{}'", name));
}

/// From the address in memory to the place in the file.
Result<Bytes> ElfImage::at_address(uint64_t address, uint64_t size) const {
  const auto header = *load<Elf64_Ehdr>(file_, 0);
  for (uint64_t i = 0; i < header.e_phnum; ++i) {
    const auto segment = *load<Elf64_Phdr>(file_, header.e_phoff + i * sizeof(Elf64_Phdr));
    if (segment.p_type != PT_LOAD || address < segment.p_vaddr || address - segment.p_vaddr > segment.p_filesz)
      continue;
    const uint64_t offset = address - segment.p_vaddr;
    if (size > segment.p_filesz - offset) break;
    return *slice(file_, segment.p_offset + offset, size);
  }
  return bad("has a symbol whose contents are not in the file");
}

}  // namespace godwit::host
