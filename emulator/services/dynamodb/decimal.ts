/**
 * DynamoDB's numbers: exact decimals of up to 38 significant digits, magnitude from 1E-130 to
 * 9.99...E+125, sent and stored as text (Developer Guide, "Data types", Number).
 */
interface Decimal {
  /** The value is `digits` times ten to the power of minus `scale`. */
  digits: bigint;
  scale: number;
}

/** The text is no number of DynamoDB; the message is DynamoDB's. */
export class NumberRefusal extends Error {
  override readonly name = 'NumberRefusal';
}

const NUMBER = /^(-?)(?=\.?\d)(\d*)\.?(\d*)(?:e([+-]?\d+))?$/i;
/** Counters and times, which is what numbers mostly are: canonical as they stand. */
const PLAIN_INTEGER = /^(?:0|-?[1-9]\d{0,14})$/;

const checkRange = (significant: string, exponent: number): void => {
  const direction = exponent > 125 ? 'larger' : exponent < -130 ? 'smaller' : undefined;
  if (direction !== undefined) {
    const what = direction === 'larger' ? 'overflow' : 'underflow';
    throw new NumberRefusal(
      `Number ${what}. Attempting to store a number with magnitude ${direction} than supported range`,
    );
  }
  if (significant.replace(/0+$/, '').length > 38) {
    throw new NumberRefusal('Attempting to store more than 38 significant digits in a Number');
  }
};

const parse = (text: string): Decimal => {
  const match = NUMBER.exec(text);
  if (match === null) {
    const what = text === '' ? '' : `: ${text}`;
    throw new NumberRefusal(`The parameter cannot be converted to a numeric value${what}`);
  }
  const [, sign = '', whole = '', fraction = '', power = '0'] = match;
  const significant = `${whole}${fraction}`.replace(/^0+/, '');
  if (significant === '') return { digits: 0n, scale: 0 };
  const scale = fraction.length - Number(power);
  checkRange(significant, significant.length - scale - 1);
  return { digits: BigInt(`${sign}${significant}`), scale };
};

const format = ({ digits, scale }: Decimal): string => {
  if (scale <= 0) return String(digits * 10n ** BigInt(-scale));
  const sign = digits < 0n ? '-' : '';
  const text = String(digits < 0n ? -digits : digits).padStart(scale + 1, '0');
  const fraction = text.slice(-scale).replace(/0+$/, '');
  return `${sign}${text.slice(0, -scale)}${fraction === '' ? '' : `.${fraction}`}`;
};

/** Both as multiples of one power of ten. */
const aligned = (a: Decimal, b: Decimal): [bigint, bigint, scale: number] => {
  const scale = Math.max(a.scale, b.scale);
  const at = (d: Decimal): bigint => d.digits * 10n ** BigInt(scale - d.scale);
  return [at(a), at(b), scale];
};

/** The one way to write a number: no exponent, no idle zeros. Throws NumberRefusal. */
export const canonicalNumber = (text: string): string =>
  PLAIN_INTEGER.test(text) ? text : format(parse(text));

/** Negative, zero or positive, of canonical numbers. */
export const compareNumbers = (a: string, b: string): number => {
  const [left, right] = aligned(parse(a), parse(b));
  return left < right ? -1 : left > right ? 1 : 0;
};

/** The exact sum or difference, in canonical form; it may be longer than DynamoDB can store. */
export const addNumbers = (a: string, b: string, sign: '+' | '-' = '+'): string => {
  const [left, right, scale] = aligned(parse(a), parse(b));
  return format({ digits: sign === '+' ? left + right : left - right, scale });
};
