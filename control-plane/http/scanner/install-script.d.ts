/** Shell scripts are imported as text, which the compiled program then carries. */
declare module "*.sh" {
  const text: string;
  export default text;
}
