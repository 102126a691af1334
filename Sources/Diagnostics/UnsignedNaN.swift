extension FloatingPoint {
  /// The number to print: a NaN without the sign that its text would have, which means nothing and differs between
  /// processors.
  public var withUnsignedNaN: Self { isNaN ? .nan : self }
}
