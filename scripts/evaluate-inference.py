#!/usr/bin/env python3
"""How right the reading of sealed sessions is, with software known and left out.

    scripts/evaluate-inference.py LAB... [--svg docs/inference-reliability.svg] [--wrong]

LAB has sessions/<id>/<id>.json (what was said: messages, auth, server, client, records) beside the captures. Every session with
TLS is read four times: with all templates; without its server's; without its client's; without either. Prints a table in Markdown
and draws how often statements of each confidence are true. Needs `cargo build --release --example leave_out`.
"""
import argparse, glob, json, math, os, subprocess

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
WAYS = [('all templates', '', ''), ('without the server', 's', ''), ('without the client', '', 'c'), ('without the pair', 's', 'c')]


def truth_of(path):
    with open(path) as f:
        return json.load(f)


def claims(truth, read):
    """(what, said, true, confidence, width allowed) for each thing that a reading may state"""
    read = read or {}
    out, messages = [], read.get('messages')
    out.append(('messages', None if messages is None else len(messages), len(truth['messages']), read.get('confidence', 0), None))
    for i, t in enumerate(truth['messages']):
        m = messages[i] if messages and i < len(messages) else {}
        c, recipients = m.get('confidence', 0), m.get('recipients')
        out.append(('recipients', None if recipients is None else len(recipients), len(t['rcpts']), c, None))
        out.append(('sender', m.get('sender_length'), len((t['mail_from'] or '').encode()), c, 8))
        for k, r in enumerate(t['rcpts']):
            g = recipients[k] if recipients and k < len(recipients) else {}
            out.append(('address', g.get('address_length'), len(r['addr'].encode()), g.get('confidence', c), 8))
            out.append(('outcome of a recipient', g.get('accepted'), bool(r['accepted']), g.get('confidence', c), None))
        if t.get('wire_bytes') is not None:
            out.append(('size', m.get('size'), t['wire_bytes'], c, 32))
        out.append(('outcome of a message', m.get('accepted'), bool(t['accepted']), c, None))
    auth, g = truth.get('auth'), read.get('auth') or {}
    if auth:
        c = g.get('confidence', 0)
        out.append(('mechanism', g.get('mechanism'), auth['mechanism'], c, None))
        out.append(('login', g.get('succeeded'), bool(auth['success']), c, None))
    return out


def verdict(said, true, confidence, width):
    """open, right or wrong, and whether it counts as stated; ranges that are too wide are open when right"""
    if said is None:
        return 'open', False
    if isinstance(said, dict):
        inside = said['min'] <= true <= said['max']
        if inside and said['max'] - said['min'] > width:
            return 'open', False
        return ('right' if inside else 'wrong'), confidence >= 0.9
    return ('right' if said == true else 'wrong'), confidence >= 0.9


def bound(wrong, stated):
    """upper end of Wilson's interval, 95 %"""
    if not stated:
        return 1.0
    z, p = 1.96, wrong / stated
    return (p + z * z / (2 * stated) + z * math.sqrt(p * (1 - p) / stated + z * z / (4 * stated * stated))) / (1 + z * z / stated)


def plot(curves, path):
    side, left, top = 320, 60, 20
    at = lambda p: (p - 0.5) * 2
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{side + left + 200}" height="{side + top + 50}" font-family="sans-serif" font-size="12">',
             f'<rect x="{left}" y="{top}" width="{side}" height="{side}" fill="none" stroke="#888"/>',
             f'<line x1="{left}" y1="{top + side}" x2="{left + side}" y2="{top}" stroke="#bbb" stroke-dasharray="4"/>']
    for tick in (0.5, 0.6, 0.7, 0.8, 0.9, 1.0):
        x, y = left + at(tick) * side, top + side - at(tick) * side
        parts.append(f'<text x="{x}" y="{top + side + 16}" text-anchor="middle">{tick:.1f}</text><text x="{left - 8}" y="{y + 4}" text-anchor="end">{tick:.1f}</text>')
    parts.append(f'<text x="{left + side / 2}" y="{top + side + 36}" text-anchor="middle">confidence stated</text>')
    parts.append(f'<text x="16" y="{top + side / 2}" transform="rotate(-90 16 {top + side / 2})" text-anchor="middle">share that is true</text>')
    for n, (name, bins, ece) in enumerate(curves):
        colour = ['#1b6ca8', '#c0504d', '#4f8f3b', '#7d4fa0'][n % 4]
        points = [(left + at(max(c, 0.5)) * side, top + side - at(max(r, 0.5)) * side, k) for c, r, k in bins]
        parts.append('<polyline fill="none" stroke="%s" points="%s"/>' % (colour, ' '.join(f'{x:.1f},{y:.1f}' for x, y, _ in points)))
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{2 + math.log10(k + 1):.1f}" fill="{colour}"/>' for x, y, k in points]
        parts.append(f'<text x="{left + side + 12}" y="{top + 16 + 18 * n}" fill="{colour}">{name}: ECE {ece:.3f}</text>')
    with open(path, 'w') as f:
        f.write('\n'.join(parts + ['</svg>', '']))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('lab', nargs='+')
    p.add_argument('--wrong', action='store_true', help='lists the statements that are wrong')
    p.add_argument('--svg')
    p.add_argument('--bin', default=os.path.join(HERE, 'target/release/examples/leave_out'))
    a = p.parse_args()
    truths = [(path, truth_of(path)) for lab in a.lab for path in sorted(glob.glob(os.path.join(lab, 'sessions', '*', '*.json')))]
    truths = [(os.path.join(os.path.dirname(path), t['file']), t) for path, t in truths if (t.get('tls') or {}).get('version')]
    print(f'{len(truths)} sessions, {len({t["pair"] for _, t in truths})} pairs\n')
    print('| templates | stated and right | stated and wrong (at most, 95 %) | left open or guessed | expected calibration error |')
    print('|---|---|---|---|---|')
    curves = []
    for name, server, client in WAYS:
        lines = ''.join('\t'.join([path, server and t['server']['name'], client and t['client']['name']]) + '\n' for path, t in truths)
        output = subprocess.run([a.bin], input=lines, capture_output=True, text=True, check=True).stdout
        found = {}
        for line in output.splitlines():
            read = json.loads(line)
            found.setdefault(read['capture'], []).append(read)
        right = wrong = open_ = 0
        said = []
        for path, t in truths:
            read = next((r for r in found.get(path, []) if r['port'] == t['server']['port']), None)
            for what, claim, true, confidence, width in claims(t, read):
                v, stated = verdict(claim, true, confidence, width)
                if v != 'open':
                    said.append((confidence, v == 'right'))
                if a.wrong and stated and v == 'wrong':
                    print(name, t['id'], t['pair'], what, f'true {true!r}, said {claim!r}, {confidence}')
                right += stated and v == 'right'
                wrong += stated and v == 'wrong'
                open_ += not stated
        bins, ece = [], 0.0
        said.sort()
        size = max(1, len(said) // 12)
        for start in range(0, len(said), size):
            part = said[start:start + size]
            mean, true = sum(c for c, _ in part) / len(part), sum(r for _, r in part) / len(part)
            bins.append((mean, true, len(part)))
            ece += abs(mean - true) * len(part) / len(said)
        curves.append((name, bins, ece))
        print(f'| {name} | {right} | {wrong} = {100 * wrong / max(1, right + wrong):.2f} % ({100 * bound(wrong, right + wrong):.2f} %) | {open_} | {ece:.3f} |')
    if a.svg:
        plot(curves, a.svg)


if __name__ == '__main__':
    main()
