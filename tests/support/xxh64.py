"""XXH64 with seed 0, as the specification of xxHash states it: to give an edited manifest a checksum that fits."""

P1, P2, P3, P4, P5 = (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5)
MASK = (1 << 64) - 1


def rotate(value, bits):
    return (value << bits | value >> (64 - bits)) & MASK


def round_of(lane, word):
    return rotate((lane + word * P2) & MASK, 31) * P1 & MASK


def xxh64(data):
    at, length = 0, len(data)
    word = lambda size: int.from_bytes(data[at:at + size], "little")
    if length >= 32:
        lanes = [P1 + P2 & MASK, P2, 0, -P1 & MASK]
        while at + 32 <= length:
            for k in range(4):
                lanes[k] = round_of(lanes[k], word(8))
                at += 8
        hash_ = sum(rotate(lane, bits) for lane, bits in zip(lanes, (1, 7, 12, 18))) & MASK
        for lane in lanes:
            hash_ = ((hash_ ^ round_of(0, lane)) * P1 + P4) & MASK
    else:
        hash_ = P5
    hash_ = (hash_ + length) & MASK
    while at + 8 <= length:
        hash_ = (rotate(hash_ ^ round_of(0, word(8)), 27) * P1 + P4) & MASK
        at += 8
    if at + 4 <= length:
        hash_ = (rotate(hash_ ^ (word(4) * P1 & MASK), 23) * P2 + P3) & MASK
        at += 4
    for byte in data[at:]:
        hash_ = rotate(hash_ ^ (byte * P5 & MASK), 11) * P1 & MASK
    hash_ = (hash_ ^ hash_ >> 33) * P2 & MASK
    hash_ = (hash_ ^ hash_ >> 29) * P3 & MASK
    return hash_ ^ hash_ >> 32
